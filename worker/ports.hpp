#pragma once

// The worker's three interfaces: Kafka as source, Strapi's database, the dead-letter topic. Each has one edge
// (consume/event_source, apply/store, dead_letters/dead_letter_topic) and one fake (tests/support).

#include "worker/consume/record_decoder.hpp"
#include "worker/decide/merge.hpp"
#include "worker/decide/value_conflicts.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace clerk_strapi::worker
{

// One record as Kafka has it. The views are valid as long as the record lives.
struct event_record
{
    std::string_view cluster; // the Kafka cluster's id: an offset is meaningful in one cluster only
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

// Every record before `next` is applied, and committed, or dead-lettered.
struct partition_position
{
    std::string cluster;
    std::string topic;
    std::int32_t partition{0};
    std::int64_t next{0};

    friend bool operator==(partition_position const&, partition_position const&) = default;
};

// The offsets of a partition: the first, and the next one to be written.
struct partition_extent
{
    std::int32_t partition{0};
    std::int64_t first{0};
    std::int64_t next{0};
};

// Reads records in order per partition. Returns a record twice only if its partition was revoked between.
class event_source
{
public:
    virtual ~event_source() = default;

    // Waits up to `wait` for a first record, then returns what has arrived. Empty: no record.
    [[nodiscard]] virtual std::vector<event_record> poll(std::chrono::milliseconds wait) = 0;

    // Serves the consumer group while the caller is paused. True: partitions were revoked meanwhile, and the caller's
    // records are void, because another worker reads them.
    [[nodiscard]] virtual bool hold(std::chrono::milliseconds wait) = 0;

    // The effects are committed. Kafka's own commit follows, for lag tools.
    virtual void finished(std::vector<partition_position> const& positions) = 0;
};

enum class apply_status {
    applied, // committed, positions included
    refused, // a value of these events can never be written: split the batch, dead-letter the record
    unavailable, // the database is unreachable, busy or full: back off, nothing is lost
    mismatched, // Strapi's tables do not fit: report it, back off, check again
};

struct apply_result
{
    apply_status status{apply_status::applied};
    std::string detail; // for the log and readiness; never a value of a row
    std::vector<event_outcome> outcomes; // one per event, when applied
    std::vector<conflict> conflicts; // of e-mails and usernames
    std::vector<std::string_view> truncated; // fields cut to the length of their column
    std::vector<std::string_view> replaced; // fields written with U+FFFD for U+0000
};

// Strapi's database, with the state in clerk_sync.
class user_store
{
public:
    virtual ~user_store() = default;

    // Applies the events by the merge rule, and stores the positions, in one transaction: all or nothing (I7).
    // Applying an event again changes nothing (I2).
    [[nodiscard]] virtual apply_result apply(
        std::vector<user_event> const& events, std::vector<partition_position> const& positions) = 0;
};

// The topic of records that can never be applied.
class dead_letters
{
public:
    virtual ~dead_letters() = default;

    // True: the brokers have the record, so its offset may be committed. False: they do not, or it is unknown.
    [[nodiscard]] virtual bool publish(event_record const& record, dead_letter_cause const& cause) = 0;
};

}
