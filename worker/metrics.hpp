#pragma once

// What the worker counts (README, "Metrics"). Verbs for the callers; families are built once, labels come from
// closed sets only. Safe from all threads.

#include "common/event/envelope.hpp"
#include "worker/consume/offset_watch.hpp"
#include "worker/decide/merge.hpp"
#include "worker/consume/record_decoder.hpp"
#include "worker/decide/value_conflicts.hpp"

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include <prometheus/registry.h>

namespace clerk_strapi::worker
{

// Why nothing is applied for the moment. `none` is running.
enum class pause_cause {
    none,
    database, // away, busy or full
    schema, // Strapi's tables are not what we need
    dead_letters, // a record must be parked and the brokers do not take it
    poison_storm, // five parks for one reason without a success between
};
[[nodiscard]] std::string_view to_string(pause_cause cause);

class metrics
{
public:
    metrics();

    void event(event_kind kind, event_outcome outcome);
    void parked_undecoded() { event(event_kind::other, event_outcome::parked); }
    void parked(std::string_view reason);
    void applied(std::size_t records, std::chrono::duration<double> time);
    void event_age(std::chrono::duration<double> age);
    void conflict(worker::conflict const& decided);
    void truncated(std::string_view field);
    void replaced(std::string_view field);
    // By partition, of those that are held here; what an earlier call told of the topic is forgotten.
    void lag(std::string const& topic, std::map<std::int32_t, std::int64_t> const& records);
    // A topic's series from the start, as a rate needs a zero to rise from.
    void log_starts(std::string const& topic);
    void log_broke(std::string const& topic, log_break kind);
    // One lane's cause; the gauge shows 1 while any lane has it.
    void paused(std::string const& lane, pause_cause cause);
    void dead_letters_open(std::int64_t count);

    [[nodiscard]] pause_cause cause_of(std::string const& lane) const;
    [[nodiscard]] std::shared_ptr<prometheus::Registry> const& registry() const { return registry_; }

private:
    std::shared_ptr<prometheus::Registry> registry_;
    prometheus::Family<prometheus::Counter>& events_;
    prometheus::Histogram& apply_seconds_;
    prometheus::Histogram& batch_records_;
    prometheus::Family<prometheus::Gauge>& lag_records_;
    prometheus::Histogram& event_age_seconds_;
    prometheus::Family<prometheus::Counter>& dead_letters_;
    prometheus::Gauge& dead_letters_open_;
    prometheus::Family<prometheus::Counter>& conflicts_;
    prometheus::Family<prometheus::Counter>& truncated_;
    prometheus::Family<prometheus::Counter>& replaced_;
    prometheus::Family<prometheus::Gauge>& paused_;
    prometheus::Family<prometheus::Counter>& log_breaks_;
    prometheus::Gauge& last_applied_;

    std::map<std::pair<event_kind, event_outcome>, prometheus::Counter*> event_counters_; // built once, read by all
    mutable std::mutex mutex_;
    std::map<std::string, pause_cause> causes_; // by lane
    std::map<std::string, std::map<std::int32_t, prometheus::Gauge*>> lag_gauges_;
};

}
