#pragma once

// Where the worker ends and the world begins. Three ports, each with a real edge (edges/) and a fake with verbs
// (tests/support). Everything else is a plain call.

#include "worker/decide/merge.hpp"
#include "worker/consume/record_decoder.hpp"
#include "worker/decide/value_conflicts.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace clerk_strapi::worker
{

// One record as it was read; views stay valid as long as the record lives.
struct event_record
{
    std::string_view cluster; // the Kafka cluster's own id: offsets of another one mean nothing
    std::string_view topic;
    std::int32_t partition{0};
    std::int64_t offset{0};
    std::optional<std::string_view> key;
    std::optional<std::string_view> value;
    std::optional<std::int64_t> timestamp_ms; // Kafka's own
    std::vector<record_header> headers;
    std::shared_ptr<void const> memory; // keeps the views alive

    [[nodiscard]] record_view view() const { return {key, value, timestamp_ms, headers}; }
};

// Everything before `next` is done: rows committed, or parked.
struct partition_position
{
    std::string cluster;
    std::string topic;
    std::int32_t partition{0};
    std::int64_t next{0};

    friend bool operator==(partition_position const&, partition_position const&) = default;
};

// What a partition holds: from its first offset up to the next one to be written.
struct log_extent
{
    std::int32_t partition{0};
    std::int64_t first{0};
    std::int64_t next{0};
};

// Reads records in order per partition. Never hands a record out twice unless the partition was taken away.
class event_source
{
public:
    virtual ~event_source() = default;

    // Waits up to `wait` for a first record, then takes what is there. Empty: nothing came.
    [[nodiscard]] virtual std::vector<event_record> poll(std::chrono::milliseconds wait) = 0;

    // Serves the group while the caller holds records back and must not get more. True: partitions were taken
    // away meanwhile, and what the caller holds is void: another worker has it now.
    [[nodiscard]] virtual bool hold(std::chrono::milliseconds wait) = 0;

    // The effects are committed: tells Kafka, for lag tools and for a worker whose database was lost.
    virtual void finished(std::vector<partition_position> const& positions) = 0;
};

enum class apply_status {
    applied, // committed, positions included
    refused, // some value of these events can never be written: split, and park the one alone
    unavailable, // the database is away, busy or full: back off, nothing is lost
    mismatched, // Strapi's tables are not what we need: tell the operator, back off, look again
};

struct apply_result
{
    apply_status status{apply_status::applied};
    std::string detail; // for the log and readiness; never a value of a row
    std::vector<event_outcome> outcomes; // one an event, when applied
    std::vector<conflict> conflicts; // about e-mails and usernames that several ask for
    std::vector<std::string_view> truncated; // fields cut to fit their column
    std::vector<std::string_view> replaced; // fields written with U+FFFD for U+0000
};

// Strapi's database with our state beside it.
class user_store
{
public:
    virtual ~user_store() = default;

    // Applies the events by the merge rule, and stores the positions, in one transaction: all or nothing (I7).
    // Applying an event again changes nothing (I2).
    [[nodiscard]] virtual apply_result apply(
        std::vector<user_event> const& events, std::vector<partition_position> const& positions) = 0;
};

// Where records go that can never be applied.
class dead_letters
{
public:
    virtual ~dead_letters() = default;

    // True: the brokers have it, and the original may be passed over. False: they have not, or nobody knows.
    [[nodiscard]] virtual bool park(event_record const& record, park_verdict const& verdict) = 0;
};

}
