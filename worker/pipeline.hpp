#pragma once

// One topic's road through the worker: its consumer, its connection to the database, its thread. Lanes share
// nothing but the dead letters and the counters, so a backlog in one never holds up another.

#include "common/event/backoff.hpp"
#include "common/log/logging.hpp"
#include "worker/consume/event_source.hpp"
#include "worker/consume/topic_reader.hpp"
#include "worker/apply/store.hpp"
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

struct lane_settings
{
    std::string name; // in logs and readiness
    source_settings source;
    postgres::session::conninfo_source conninfo;
    store_settings store;
    decode_rules decoding;
    std::function<bool()> may_read; // false: others come first
    std::string counted_topic; // whose records the gauge of open dead letters tells; empty: another lane does
};

struct lane_health
{
    bool schema_checked{false};
    bool brokers_up{false};
    bool kept_out{false}; // of the consumer group, by another assignment strategy
    std::string broker_trouble; // why none is, as far as it was reported
    pause_cause cause{pause_cause::none};
    std::string detail;
};

class lane
{
public:
    lane(lane_settings settings, dead_letters& dead, metrics& counters);
    ~lane(); // stops and joins

    void start();
    // Why this lane has ended by itself and cannot go on; the program is to end, for nobody reads its partitions.
    [[nodiscard]] std::optional<std::string> failed_for_good() const { return source_.failed_for_good(); }
    // Ends the statement under way and leaves the group; join by destroying.
    void stop();

    [[nodiscard]] lane_health health() const;
    // Nothing is waiting in the partitions held here.
    [[nodiscard]] bool caught_up() const;

private:
    void run();
    void step();
    void check_schema();
    void read_on();
    void back_off(pause_cause cause, std::string const& detail);
    void tell_paused(pause_cause cause, std::string const& detail, std::chrono::milliseconds wait, bool news);
    void carry_on();
    void report_lag();
    void count_dead_letters();

    lane_settings settings_;
    metrics& metrics_;
    strapi_store store_;
    kafka_event_source source_;
    std::optional<kafka_log_reader> counter_; // a connection of its own: on the consumer's, answers wait behind fetches
    batch_processor batch_;
    backoff backoff_;
    std::minstd_rand random_;
    log::repeat_limit pauses_told_{std::chrono::seconds{30}};
    std::chrono::steady_clock::time_point idle_look_at_;
    std::chrono::steady_clock::time_point lag_told_at_;
    std::chrono::steady_clock::time_point counted_at_;

    mutable std::mutex health_mutex_;
    lane_health health_;
    std::atomic<bool> stopping_{false};
    std::thread thread_;
};

}
