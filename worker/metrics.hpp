#pragma once

// The worker's metrics (README, "Metrics"). One method per fact; families are built once, and labels come from closed
// sets only. Safe from all threads.

#include "common/event/envelope.hpp"
#include "worker/consume/offset_watch.hpp"
#include "worker/consume/record_decoder.hpp"
#include "worker/decide/merge.hpp"
#include "worker/decide/value_conflicts.hpp"

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include <prometheus/registry.h>

namespace clerk_strapi::worker
{

// Why a pipeline is paused. `none`: it runs.
enum class pause_cause {
    none,
    database, // unreachable, busy or full
    schema, // Strapi's tables do not fit
    dead_letters, // the dead-letter topic does not accept a record
    poison_storm, // five dead letters for one reason without a success between them
};
[[nodiscard]] std::string_view to_string(pause_cause cause);

class metrics
{
public:
    metrics();

    void event(event_kind kind, event_outcome outcome);
    void dead_lettered(std::string_view reason);
    void applied(std::size_t records, std::chrono::duration<double> time);
    void event_age(std::chrono::duration<double> age);
    void conflict(worker::conflict const& decided);
    void truncated(std::string_view field);
    void replaced(std::string_view field);
    // By partition, of all partitions assigned here: the series of other partitions are removed.
    void lag(std::string const& topic, std::map<std::int32_t, std::int64_t> const& records);
    // Creates the topic's series: a rate needs an initial zero.
    void init_offset_gaps(std::string const& topic);
    void offset_gap_found(std::string const& topic, offset_gap kind);
    // One pipeline's cause; the gauge is 1 while any pipeline has it.
    void paused(std::string const& pipeline, pause_cause cause);
    void dead_letters_open(std::int64_t count);

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
    prometheus::Family<prometheus::Counter>& offset_gaps_;
    prometheus::Gauge& last_applied_;

    std::map<std::pair<event_kind, event_outcome>, prometheus::Counter*> event_counters_; // built once, read by all
    mutable std::mutex mutex_;
    std::map<std::string, pause_cause> causes_; // by pipeline
    std::map<std::string, std::map<std::int32_t, prometheus::Gauge*>> lag_gauges_;
};

}
