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
constexpr park_reason park_reasons[] = {park_reason::no_value, park_reason::no_key, park_reason::bad_headers,
    park_reason::unsupported_version, park_reason::unknown_type, park_reason::contradictory, park_reason::bad_time,
    park_reason::version_in_future, park_reason::foreign_instance, park_reason::refused_by_database};
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
    , events_(counter(*registry_, "clerk_worker_events_total", "User events by type and by what became of them."))
    , apply_seconds_(histogram(*registry_, "clerk_worker_apply_seconds", "Time of one batch, begin to commit.",
          {.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}))
    , batch_records_(histogram(*registry_, "clerk_worker_batch_records", "Records in one batch.",
          {1, 2, 5, 10, 25, 50, 100, 250, 500, 1000}))
    , lag_records_(
          gauge(*registry_, "clerk_worker_lag_records", "Records not yet applied, of the partitions held here."))
    , event_age_seconds_(histogram(*registry_, "clerk_worker_event_age_seconds",
          "From an event's own time in Clerk to its committed rows.",
          {.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200, 86400}))
    , dead_letters_(counter(*registry_, "clerk_worker_dead_letters_total", "Records parked, by reason."))
    , dead_letters_open_(gauge(*registry_, "clerk_worker_dead_letters_open",
          "Dead letters that nobody has sent again or discarded; every worker counts the same topic.")
                             .Add({}))
    , conflicts_(counter(*registry_, "clerk_worker_conflicts_total",
          "E-mails and usernames that somebody else has, by kind and by what was decided."))
    , truncated_(counter(*registry_, "clerk_worker_truncated_total", "Values cut to fit their column."))
    , replaced_(counter(*registry_, "clerk_worker_replaced_total",
          "Values written with U+FFFD where Clerk had U+0000, which PostgreSQL's text cannot hold."))
    , paused_(gauge(*registry_, "clerk_worker_paused", "1 while nothing is applied for this cause."))
    , log_breaks_(counter(*registry_, "clerk_worker_offset_gaps_total",
          "Partitions whose log did not go on where we stopped: truncated by retention, or rewound."))
    , last_applied_(gauge(*registry_, "clerk_worker_last_applied_timestamp_seconds",
          "When the last batch with events was committed, in seconds since 1970; 0 before the first.")
                        .Add({}))
{
    for (auto const kind : kinds) {
        for (auto const outcome : outcomes) {
            event_counters_[{kind, outcome}] =
                &events_.Add({{"type", std::string{to_string(kind)}}, {"outcome", std::string{to_string(outcome)}}});
        }
    }
    // Series that exist from the start can be alerted on: a rate needs a zero to rise from.
    for (auto const cause : causes)
        paused_.Add({{"cause", std::string{to_string(cause)}}});
    for (auto const kind : {claim_field::email, claim_field::username}) {
        for (auto const decision : decisions)
            conflicts_.Add(conflict_labels({kind, decision}));
    }
    for (auto const* const field : {"email", "username", "full_name"}) {
        truncated_.Add({{"field", field}});
        replaced_.Add({{"field", field}});
    }
    for (auto const reason : park_reasons)
        dead_letters_.Add({{"reason", std::string{to_string(reason)}}});
    for (auto const fault : body_faults)
        dead_letters_.Add({{"reason", std::string{to_string(fault)}}});
    gauge(*registry_, "clerk_worker_build_info", "Always 1; the labels tell what runs.")
        .Add({{"version", build_version}, {"commit", build_commit}})
        .Set(1);
}

void metrics::event(event_kind kind, event_outcome outcome) { event_counters_.at({kind, outcome})->Increment(); }

void metrics::parked(std::string_view reason) { dead_letters_.Add({{"reason", std::string{reason}}}).Increment(); }

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

// A series that stays is never taken away for a moment: a scrape could come in between.
void metrics::lag(std::string const& topic, std::map<std::int32_t, std::int64_t> const& records)
{
    std::lock_guard const lock{mutex_};
    auto& told = lag_gauges_[topic];
    std::erase_if(told, [&](auto const& one) {
        if (records.contains(one.first)) return false;
        lag_records_.Remove(one.second); // it went to another worker and must not keep its last lag here
        return true;
    });
    for (auto const& [partition, count] : records) {
        auto& series = told[partition];
        if (series == nullptr) series = &lag_records_.Add({{"topic", topic}, {"partition", std::to_string(partition)}});
        series->Set(static_cast<double>(count));
    }
}

void metrics::log_starts(std::string const& topic)
{
    for (auto const kind : {log_break::truncated, log_break::rewound})
        log_breaks_.Add({{"topic", topic}, {"kind", std::string{to_string(kind)}}});
}

void metrics::log_broke(std::string const& topic, log_break kind)
{
    log_breaks_.Add({{"topic", topic}, {"kind", std::string{to_string(kind)}}}).Increment();
}

void metrics::paused(std::string const& lane, pause_cause cause)
{
    std::lock_guard const lock{mutex_};
    causes_[lane] = cause;
    for (auto const one : causes) {
        auto const held =
            std::any_of(causes_.begin(), causes_.end(), [&](auto const& entry) { return entry.second == one; });
        paused_.Add({{"cause", std::string{to_string(one)}}}).Set(held ? 1 : 0);
    }
}

pause_cause metrics::cause_of(std::string const& lane) const
{
    std::lock_guard const lock{mutex_};
    auto const found = causes_.find(lane);
    return found == causes_.end() ? pause_cause::none : found->second;
}

void metrics::dead_letters_open(std::int64_t count) { dead_letters_open_.Set(static_cast<double>(count)); }

}
