#include "worker/pipeline.hpp"

#include "common/process/fail_point.hpp"

namespace clerk_strapi::worker
{

namespace
{

using namespace std::chrono_literals;

constexpr auto backoff_first = 200ms;
constexpr auto backoff_longest = 5s; // a database that recovers is used again within this time (I9)
constexpr auto poll_wait = 100ms; // the longest delay of a stop
constexpr auto idle_check_interval = 5s;
constexpr auto lag_interval = 1s;
constexpr auto count_interval = 10s;
constexpr auto count_wait = 250ms;

}

pipeline::pipeline(pipeline_settings settings, dead_letters& dead, metrics& counters)
    : settings_(std::move(settings))
    , metrics_(counters)
    , store_(settings_.conninfo, settings_.store)
    , source_(settings_.source, [this](std::string const& cluster) { return store_.positions(cluster); })
    , batch_(source_, store_, dead, counters, settings_.decoding)
    , backoff_(backoff_first, backoff_longest)
    , random_(std::random_device{}())
{
    if (!settings_.dead_letter_topic.empty()) counter_.emplace(settings_.source.client);
}

pipeline::~pipeline()
{
    stop();
    if (thread_.joinable()) thread_.join();
    // The former topic's pipeline ends before the program: its last lag and pause must not stay in /metrics.
    metrics_.lag(settings_.source.topic, {});
    metrics_.paused(settings_.name, pause_cause::none);
}

void pipeline::start()
{
    thread_ = std::thread{[this] { run(); }};
}

void pipeline::stop()
{
    stopping_ = true;
    store_.stop();
}

pipeline_health pipeline::health() const
{
    std::lock_guard const lock{health_mutex_};
    auto health = health_;
    health.brokers_up = source_.brokers_up();
    health.rejected_by_group = source_.rejected_by_group();
    health.broker_trouble = source_.trouble();
    return health;
}

bool pipeline::caught_up() const
{
    if (!source_.positioned()) return false;
    for (auto const& lag : source_.lag()) {
        if (lag.records > 0) return false;
    }
    return true;
}

void pipeline::run()
{
    while (!stopping_ && !source_.failed_for_good()) {
        step();
        report_lag();
        count_dead_letters();
    }
}

void pipeline::step()
{
    if (!health().schema_checked) return check_schema();
    if (batch_.empty()) read();
    if (batch_.empty()) return;
    auto const result = batch_.process();
    if (result.cause == pause_cause::none) return resume();
    back_off(result.cause, result.detail);
}

void pipeline::check_schema()
{
    auto const checked = store_.check();
    if (checked.status != apply_status::applied) {
        auto const mismatched = checked.status == apply_status::mismatched;
        return back_off(mismatched ? pause_cause::schema : pause_cause::database, checked.detail);
    }
    log::info("found Strapi's tables", {{"lane", settings_.name}, {"profile_types", store_.schema()->profiles.size()}});
    if (source_.rewind_if_positions_lost()) batch_.drop();
    // Reading works. Only a batch shows whether writing works: while one is kept, the pause continues and its waits
    // grow.
    if (batch_.empty()) resume();
    std::lock_guard const lock{health_mutex_};
    health_.schema_checked = true;
}

void pipeline::read()
{
    if (settings_.may_read && !settings_.may_read()) {
        static_cast<void>(source_.hold(poll_wait));
        return;
    }
    batch_.take(source_.poll(poll_wait));
    if (!batch_.empty()) fail_point(fail_at::worker_after_poll);
    if (!batch_.empty() || std::chrono::steady_clock::now() < idle_check_at_) return;
    // Without records, only a check shows that the database is unreachable or that Strapi changed its tables.
    idle_check_at_ = std::chrono::steady_clock::now() + idle_check_interval;
    auto const checked = store_.apply({}, {});
    if (checked.status == apply_status::applied) return resume();
    back_off(checked.status == apply_status::mismatched ? pause_cause::schema : pause_cause::database, checked.detail);
}

void pipeline::back_off(pause_cause cause, std::string const& detail)
{
    if (stopping_) return;
    auto const wait = backoff_.next(std::uniform_real_distribution<>{0, 1}(random_));
    auto changed = false;
    {
        std::lock_guard const lock{health_mutex_};
        changed = health_.cause != cause || health_.detail != detail;
        health_.cause = cause;
        health_.detail = detail;
        // After an outage, the server, the stored positions and the tables may be different ones.
        if (cause == pause_cause::database || cause == pause_cause::schema) health_.schema_checked = false;
    }
    metrics_.paused(settings_.name, cause);
    log_pause(cause, detail, wait, changed);
    // Serves the group meanwhile, or it would remove this member; in small steps, so that a stop is noticed.
    auto const until = std::chrono::steady_clock::now() + wait;
    while (!stopping_ && std::chrono::steady_clock::now() < until) {
        if (source_.hold(std::min<std::chrono::milliseconds>(poll_wait, wait))) return batch_.drop();
    }
}

// Each new cause at once, then twice per minute. An error only for the schema: an operator must fix it, while all other
// causes recover by themselves.
void pipeline::log_pause(pause_cause cause, std::string const& detail, std::chrono::milliseconds wait, bool is_new)
{
    auto const held_back = pause_log_limit_.pass();
    if (!is_new && !held_back) return;
    log::write(cause == pause_cause::schema ? log::level::error : log::level::warning, "pipeline paused",
        {{"lane", settings_.name}, {"cause", to_string(cause)}, {"detail", detail}, {"retry_in_ms", wait},
            {"held_back", held_back.value_or(0)}});
}

void pipeline::resume()
{
    backoff_.reset();
    std::lock_guard const lock{health_mutex_};
    if (health_.cause == pause_cause::none) return;
    health_.cause = pause_cause::none;
    health_.detail.clear();
    metrics_.paused(settings_.name, pause_cause::none);
    log::info("pipeline resumed", {{"lane", settings_.name}});
}

void pipeline::report_lag()
{
    auto const now = std::chrono::steady_clock::now();
    if (now - lag_reported_at_ < lag_interval) return;
    lag_reported_at_ = now;
    std::map<std::int32_t, std::int64_t> records;
    for (auto const& lag : source_.lag())
        records[lag.partition] = lag.records;
    metrics_.lag(settings_.source.topic, records);
}

void pipeline::count_dead_letters()
{
    auto const now = std::chrono::steady_clock::now();
    if (!counter_ || !source_.positioned() || now - counted_at_ < count_interval) return;
    counted_at_ = now;
    auto const extents = counter_->extents(settings_.dead_letter_topic, count_wait);
    if (!extents) return;
    std::int64_t records = 0;
    for (auto const& one : *extents)
        records += one.next - one.first;
    auto const closed = store_.closed_dead_letters(counter_->cluster(), settings_.dead_letter_topic, *extents);
    if (closed) metrics_.dead_letters_open(records - *closed);
}

}
