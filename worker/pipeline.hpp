#pragma once

// One topic's consume-decide-apply loop: its consumer, its database connection, its thread. Pipelines share only the
// dead letters and the metrics, so a backlog in one never delays another.

#include "common/event/backoff.hpp"
#include "common/log/logging.hpp"
#include "worker/apply/store.hpp"
#include "worker/consume/event_source.hpp"
#include "worker/consume/topic_reader.hpp"
#include "worker/process_batch.hpp"

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <thread>

namespace clerk_strapi::worker
{

struct pipeline_settings
{
    std::string name; // in logs and readiness
    source_settings source;
    postgres::session::conninfo_source conninfo;
    store_settings store;
    decode_rules decoding;
    std::function<bool()> may_read; // false: other pipelines have work
    std::string dead_letter_topic; // counts its open dead letters; empty: another pipeline does
};

struct pipeline_health
{
    bool schema_checked{false};
    bool brokers_up{false};
    bool rejected_by_group{false}; // the members use another assignment strategy
    std::string broker_trouble; // why no broker is up, if librdkafka reported it
    pause_cause cause{pause_cause::none};
    std::string detail;
};

class pipeline
{
public:
    pipeline(pipeline_settings settings, dead_letters& dead, metrics& counters);
    ~pipeline(); // stops and joins

    void start();
    // Why the pipeline ended by itself. The program must end then, because its partitions are no longer read.
    [[nodiscard]] std::optional<std::string> failed_for_good() const { return source_.failed_for_good(); }
    // Cancels the running statement and leaves the group. The destructor joins.
    void stop();

    [[nodiscard]] pipeline_health health() const;
    // No record is waiting in the assigned partitions.
    [[nodiscard]] bool caught_up() const;

private:
    void run();
    void step();
    void check_schema();
    void read();
    void back_off(pause_cause cause, std::string const& detail);
    void log_pause(pause_cause cause, std::string const& detail, std::chrono::milliseconds wait, bool is_new);
    void resume();
    void report_lag();
    void count_dead_letters();

    pipeline_settings settings_;
    metrics& metrics_;
    strapi_store store_;
    kafka_event_source source_;
    std::optional<kafka_topic_reader> counter_; // its own connection: on the consumer's, responses wait behind fetches
    batch_processor batch_;
    backoff backoff_;
    std::minstd_rand random_;
    log::repeat_limit pause_log_limit_{std::chrono::seconds{30}};
    std::chrono::steady_clock::time_point idle_check_at_;
    std::chrono::steady_clock::time_point lag_reported_at_;
    std::chrono::steady_clock::time_point counted_at_;

    mutable std::mutex health_mutex_;
    pipeline_health health_;
    std::atomic<bool> stopping_{false};
    std::thread thread_;
};

}
