#include "worker/metrics.hpp"

#include "build_version.hpp"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>

#include <algorithm>

namespace clerk_strapi::worker
{

namespace
{

using prometheus::Histogram;

prometheus::Family<prometheus::Counter>& counter(prometheus::Registry& registry, char const* name, char const* help)
{
    return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
}

prometheus::Family<prometheus::Gauge>& gauge(prometheus::Registry& registry, char const* name, char const* help)
{
    return prometheus::BuildGauge().Name(name).Help(help).Register(registry);
}

Histogram& histogram(
    prometheus::Registry& registry, char const* name, char const* help, Histogram::BucketBoundaries const& buckets)
{
    return prometheus::BuildHistogram().Name(name).Help(help).Register(registry).Add({}, buckets);
}

constexpr event_kind kinds[] = {event_kind::created, event_kind::updated, event_kind::deleted, event_kind::seen,
    event_kind::snapshot, event_kind::other};
constexpr event_outcome outcomes[] = {event_outcome::created, event_outcome::adopted, event_outcome::updated,
    event_outcome::unchanged, event_outcome::duplicate, event_outcome::stale, event_outcome::deleted,
    event_outcome::parked};
constexpr dead_letter_reason dead_letter_reasons[] = {dead_letter_reason::no_value, dead_letter_reason::no_key,
    dead_letter_reason::bad_headers, dead_letter_reason::unsupported_version, dead_letter_reason::unknown_type,
    dead_letter_reason::contradictory, dead_letter_reason::bad_time, dead_letter_reason::version_in_future,
    dead_letter_reason::foreign_instance, dead_letter_reason::refused_by_database};
constexpr envelope_fault body_faults[] = {envelope_fault::not_json, envelope_fault::too_deep,
    envelope_fault::duplicate_name, envelope_fault::not_an_object, envelope_fault::no_type, envelope_fault::no_data,
    envelope_fault::no_user_id, envelope_fault::bad_user_id, envelope_fault::bad_timestamp,
    envelope_fault::bad_instance_id, envelope_fault::bad_field};
constexpr conflict_decision decisions[] = {conflict_decision::placeholder, conflict_decision::displaced,
    conflict_decision::healed, conflict_decision::linked, conflict_decision::not_linked};

prometheus::Labels conflict_labels(conflict const& decided)
{
    return {{"kind", std::string{to_string(decided.field)}}, {"decision", std::string{to_string(decided.decision)}}};
}

constexpr pause_cause causes[] = {
    pause_cause::database, pause_cause::schema, pause_cause::dead_letters, pause_cause::poison_storm};

}

std::string_view to_string(pause_cause cause)
{
    switch (cause) {
    case pause_cause::none: return "none";
    case pause_cause::database: return "database";
    case pause_cause::schema: return "schema";
    case pause_cause::dead_letters: return "dead_letters";
    case pause_cause::poison_storm: return "poison_storm";
    }
    return "none";
}

metrics::metrics()
    : registry_(std::make_shared<prometheus::Registry>())
    , events_(counter(*registry_, "clerk_worker_events_total", "User events by type and outcome."))
    , apply_seconds_(
          histogram(*registry_, "clerk_worker_apply_seconds", "Duration of one batch transaction, begin to commit.",
              {.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}))
    , batch_records_(histogram(*registry_, "clerk_worker_batch_records", "Records in one batch.",
          {1, 2, 5, 10, 25, 50, 100, 250, 500, 1000}))
    , lag_records_(gauge(*registry_, "clerk_worker_lag_records",
          "Records not applied yet, in the partitions assigned to this worker."))
    , event_age_seconds_(histogram(*registry_, "clerk_worker_event_age_seconds",
          "Time from the event in Clerk to the commit of its rows.",
          {.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200, 86400}))
    , dead_letters_(
          counter(*registry_, "clerk_worker_dead_letters_total", "Records sent to the dead-letter topic, by reason."))
    , dead_letters_open_(gauge(*registry_, "clerk_worker_dead_letters_open",
          "Dead letters that are neither redriven nor discarded; every worker counts the same topic.")
                             .Add({}))
    , conflicts_(
          counter(*registry_, "clerk_worker_conflicts_total", "E-mail and username conflicts, by field and decision."))
    , truncated_(counter(*registry_, "clerk_worker_truncated_total", "Values cut to the length of their column."))
    , replaced_(counter(*registry_, "clerk_worker_replaced_total",
          "Values written with U+FFFD for U+0000, which PostgreSQL cannot store."))
    , paused_(gauge(*registry_, "clerk_worker_paused", "1 while a pipeline is paused for this cause."))
    , offset_gaps_(counter(*registry_, "clerk_worker_offset_gaps_total",
          "Partitions that did not continue at the stored position: truncated by retention, or rewound."))
    , last_applied_(gauge(*registry_, "clerk_worker_last_applied_timestamp_seconds",
          "Unix time of the last committed batch with events; 0 before the first.")
                        .Add({}))
{
    for (auto const kind : kinds) {
        for (auto const outcome : outcomes) {
            event_counters_[{kind, outcome}] =
                &events_.Add({{"type", std::string{to_string(kind)}}, {"outcome", std::string{to_string(outcome)}}});
        }
    }
    // Series exist from the start, because a rate needs an initial zero.
    for (auto const cause : causes)
        paused_.Add({{"cause", std::string{to_string(cause)}}});
    for (auto const kind : {value_field::email, value_field::username}) {
        for (auto const decision : decisions)
            conflicts_.Add(conflict_labels({kind, decision}));
    }
    for (auto const* const field : {"email", "username", "full_name"}) {
        truncated_.Add({{"field", field}});
        replaced_.Add({{"field", field}});
    }
    for (auto const reason : dead_letter_reasons)
        dead_letters_.Add({{"reason", std::string{to_string(reason)}}});
    for (auto const fault : body_faults)
        dead_letters_.Add({{"reason", std::string{to_string(fault)}}});
    gauge(*registry_, "clerk_worker_build_info", "Always 1; the labels name the running version.")
        .Add({{"version", build_version}, {"commit", build_commit}})
        .Set(1);
}

void metrics::event(event_kind kind, event_outcome outcome) { event_counters_.at({kind, outcome})->Increment(); }

void metrics::dead_lettered(std::string_view reason)
{
    dead_letters_.Add({{"reason", std::string{reason}}}).Increment();
}

void metrics::applied(std::size_t records, std::chrono::duration<double> time)
{
    apply_seconds_.Observe(time.count());
    batch_records_.Observe(static_cast<double>(records));
    last_applied_.SetToCurrentTime();
}

void metrics::event_age(std::chrono::duration<double> age) { event_age_seconds_.Observe(std::max(0.0, age.count())); }

void metrics::conflict(worker::conflict const& decided) { conflicts_.Add(conflict_labels(decided)).Increment(); }

void metrics::truncated(std::string_view field) { truncated_.Add({{"field", std::string{field}}}).Increment(); }

void metrics::replaced(std::string_view field) { replaced_.Add({{"field", std::string{field}}}).Increment(); }

// A series that stays is never removed and added again: a scrape in between would miss it.
void metrics::lag(std::string const& topic, std::map<std::int32_t, std::int64_t> const& records)
{
    std::lock_guard const lock{mutex_};
    auto& gauges = lag_gauges_[topic];
    std::erase_if(gauges, [&](auto const& one) {
        if (records.contains(one.first)) return false;
        lag_records_.Remove(one.second); // another worker has this partition now
        return true;
    });
    for (auto const& [partition, count] : records) {
        auto& series = gauges[partition];
        if (series == nullptr) series = &lag_records_.Add({{"topic", topic}, {"partition", std::to_string(partition)}});
        series->Set(static_cast<double>(count));
    }
}

void metrics::init_offset_gaps(std::string const& topic)
{
    for (auto const kind : {offset_gap::truncated, offset_gap::rewound})
        offset_gaps_.Add({{"topic", topic}, {"kind", std::string{to_string(kind)}}});
}

void metrics::offset_gap_found(std::string const& topic, offset_gap kind)
{
    offset_gaps_.Add({{"topic", topic}, {"kind", std::string{to_string(kind)}}}).Increment();
}

void metrics::paused(std::string const& pipeline, pause_cause cause)
{
    std::lock_guard const lock{mutex_};
    causes_[pipeline] = cause;
    for (auto const one : causes) {
        auto const held =
            std::any_of(causes_.begin(), causes_.end(), [&](auto const& entry) { return entry.second == one; });
        paused_.Add({{"cause", std::string{to_string(one)}}}).Set(held ? 1 : 0);
    }
}

void metrics::dead_letters_open(std::int64_t count) { dead_letters_open_.Set(static_cast<double>(count)); }

}
