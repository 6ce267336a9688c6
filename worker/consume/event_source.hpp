#pragma once

// event_source on librdkafka: one consumer of one topic. Offsets come from the database: each assigned partition
// starts at its stored position (I7), and Kafka's own commit only follows, for lag tools. A partition whose position
// the database cannot return is not read until it can. All calls except lag(), brokers_up(), trouble(), positioned()
// and rejected_by_group() come from one thread, on which librdkafka's callbacks run too.

#include "common/kafka/assignment_strategy.hpp"
#include "common/kafka/client_config.hpp"
#include "common/kafka/client_errors.hpp"
#include "worker/consume/assigned_partitions.hpp"
#include "worker/consume/kafka_record.hpp"
#include "worker/consume/offset_watch.hpp"
#include "worker/ports.hpp"

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

struct rd_kafka_s;
struct rd_kafka_topic_partition_list_s;

namespace clerk_strapi::worker
{

struct source_settings
{
    kafka::client_settings client;
    std::string group_id;
    std::string topic;
    std::string assignment_strategy{kafka::default_strategy};
    std::size_t batch_records{500};
    std::chrono::milliseconds batch_wait{5};
    std::function<void(offset_gap)> offset_gap_found{}; // for the metrics; on the thread that polls
};

struct partition_lag
{
    std::int32_t partition{0};
    std::int64_t records{0};
};

// The stored position of each partition; nullopt while the database is unavailable.
using position_lookup = std::function<std::optional<std::vector<partition_position>>(std::string const& cluster)>;

class kafka_event_source : public event_source
{
public:
    // Does not wait for brokers. Throws std::invalid_argument or std::runtime_error on bad settings.
    kafka_event_source(source_settings settings, position_lookup lookup);
    // Leaves the group: its partitions are assigned to others at once.
    ~kafka_event_source() override;
    kafka_event_source(kafka_event_source const&) = delete;
    kafka_event_source& operator=(kafka_event_source const&) = delete;

    [[nodiscard]] std::vector<event_record> poll(std::chrono::milliseconds wait) override;
    [[nodiscard]] bool hold(std::chrono::milliseconds wait) override;
    void finished(std::vector<partition_position> const& positions) override;

    // After a failover to a replica or a restored backup, stored positions may be older than before. Reads them again;
    // true: they are older, so all partitions rewind to them, and the caller's records are void.
    [[nodiscard]] bool rewind_if_positions_lost();

    [[nodiscard]] std::vector<partition_lag> lag() const;
    [[nodiscard]] bool brokers_up() const { return brokers_up_; }
    // Why no broker is connected, if librdkafka reported it; else empty.
    [[nodiscard]] std::string trouble() const { return brokers_up_ ? std::string{} : errors_.reason(); }
    // Partitions are assigned and their positions known.
    [[nodiscard]] bool positioned() const { return positioned_; }
    // Why this consumer can never read again: the group fenced it. The caller's records are void.
    [[nodiscard]] std::optional<std::string> failed_for_good() const;
    // The group rejects this consumer, because its members use another assignment strategy, until they have left.
    [[nodiscard]] bool rejected_by_group() const { return rejected_by_group_; }

private:
    struct callbacks;

    void on_assigned(rd_kafka_topic_partition_list_s const& partitions);
    void on_revoked(rd_kafka_topic_partition_list_s const& partitions);
    void wait_for_positions();
    void start_from_database();
    void drop_unassigned();
    [[nodiscard]] message_pointer next_message(std::chrono::milliseconds wait);
    void record_fatal_error();
    void record_rejection();
    void log_fault(rd_kafka_message_s const& message) const;
    void queue_found_positions();
    void on_group_state(bool steady);
    [[nodiscard]] bool commit_is_due() const;
    void commit_finished();
    void measure_lag();
    void report_gap(std::int32_t partition, std::optional<offset_gap> found) const;

    source_settings settings_;
    position_lookup lookup_;
    kafka::client_errors errors_;
    rd_kafka_s* handle_{nullptr};
    std::string cluster_;

    assigned_partitions partitions_;
    bool waiting_for_positions_{false};
    std::chrono::steady_clock::time_point lookup_at_;
    bool batch_void_{false}; // since the last poll: the caller's records
    std::vector<message_pointer> fetched_during_pause_; // the next poll returns them
    offset_watch watch_;
    std::chrono::steady_clock::time_point committed_at_;

    mutable std::mutex lag_mutex_;
    std::vector<partition_lag> lag_;
    std::chrono::steady_clock::time_point measured_at_;
    std::atomic<bool> brokers_up_{false};
    std::atomic<bool> positioned_{false};
    std::atomic<bool> rejected_by_group_{false};
    std::string failure_; // written once, before failed_
    std::atomic<bool> failed_{false};
};

}
