#pragma once

// event_source on librdkafka: one consumer of one topic. Offsets come from the database: at each assignment the
// source starts where the rows stopped (I7), and Kafka's own commit only follows, for lag tools. When the database
// cannot say, nothing is read until it can. All calls but lag(), brokers_up() and assigned() come from one thread, on
// which librdkafka's callbacks run too.

#include "common/kafka/client_config.hpp"
#include "worker/core/log_watch.hpp"
#include "worker/edges/kafka_record.hpp"
#include "worker/ports.hpp"

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
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
    std::size_t batch_records{500};
    std::chrono::milliseconds batch_wait{5};
    std::function<void(log_break)> log_broke{}; // for the metrics; on the thread that polls
};

struct partition_lag
{
    std::int32_t partition{0};
    std::int64_t records{0};
};

// Where each partition goes on, by the database; nothing when it cannot say now.
using position_lookup = std::function<std::optional<std::vector<partition_position>>(std::string const& cluster)>;

class kafka_event_source : public event_source
{
public:
    // Does not wait for brokers. Throws std::invalid_argument or std::runtime_error on bad settings.
    kafka_event_source(source_settings settings, position_lookup lookup);
    // Leaves the group: its partitions move on at once.
    ~kafka_event_source() override;
    kafka_event_source(kafka_event_source const&) = delete;
    kafka_event_source& operator=(kafka_event_source const&) = delete;

    [[nodiscard]] std::vector<event_record> poll(std::chrono::milliseconds wait) override;
    [[nodiscard]] bool hold(std::chrono::milliseconds wait) override;
    void finished(std::vector<partition_position> const& positions) override;

    // After an outage the database may know less than it did: a failover to a replica, a restored backup. Asks it
    // again; true when it does, and then all is read again from where it stands, and what the caller holds is void.
    [[nodiscard]] bool go_back_if_forgotten();

    [[nodiscard]] std::vector<partition_lag> lag() const;
    [[nodiscard]] bool brokers_up() const { return brokers_up_; }
    // Partitions are assigned and their positions known.
    [[nodiscard]] bool positioned() const { return positioned_; }
    // Why nothing will ever be read again: the group has fenced this consumer. What the caller holds is void.
    [[nodiscard]] std::optional<std::string> failed_for_good() const;

private:
    struct callbacks;
    using list_pointer = std::unique_ptr<rd_kafka_topic_partition_list_s, void (*)(rd_kafka_topic_partition_list_s*)>;

    void on_assigned(rd_kafka_topic_partition_list_s const& partitions);
    void on_revoked();
    void stop_reading();
    void start_from_database();
    void pause_assigned();
    void resume_assigned();
    [[nodiscard]] message_pointer next_message(std::chrono::milliseconds wait);
    void note_fatal();
    void tell_fault(rd_kafka_message_s const& message) const;
    void tell_found_positions();
    void commit_finished(bool at_once);
    void measure_lag();
    void tell_break(std::int32_t partition, std::optional<log_break> found) const;

    source_settings settings_;
    position_lookup lookup_;
    rd_kafka_s* handle_{nullptr};
    std::string cluster_;

    list_pointer assigned_; // what the group gave us
    bool waiting_for_positions_{false};
    std::chrono::steady_clock::time_point ask_again_at_;
    bool holding_{false};
    bool revoked_{false}; // since the last poll
    std::vector<message_pointer> early_; // came in spite of a pause: handed out by the next poll
    std::map<std::int32_t, std::int64_t> next_; // per partition, after the last record handed out
    std::map<std::int32_t, std::int64_t> finished_; // per partition, not yet told to Kafka
    std::map<std::int32_t, std::int64_t> stored_; // per partition, what the database has
    log_watch watch_;
    std::map<std::int32_t, std::int64_t> untold_; // per partition, found in the database when it was assigned
    std::chrono::steady_clock::time_point committed_at_;

    mutable std::mutex lag_mutex_;
    std::vector<partition_lag> lag_;
    std::chrono::steady_clock::time_point measured_at_;
    std::atomic<bool> brokers_up_{false};
    std::atomic<bool> positioned_{false};
    std::string failure_; // written once, before the flag
    std::atomic<bool> failed_{false};
};

}
