#include "worker/pipeline.hpp"

#include "common/process/fail_point.hpp"

namespace clerk_strapi::worker
{

namespace
{

using namespace std::chrono_literals;

constexpr auto backoff_first = 200ms;
constexpr auto backoff_longest = 5s; // a healed database is noticed within this time (I9)
constexpr auto poll_wait = 100ms; // how long a stop may go unnoticed
constexpr auto idle_look_interval = 5s;
constexpr auto lag_interval = 1s;
constexpr auto count_interval = 10s;
constexpr auto count_wait = 250ms;

}

lane::lane(lane_settings settings, dead_letters& dead, metrics& counters)
    : settings_(std::move(settings))
    , metrics_(counters)
    , store_(settings_.conninfo, settings_.store)
    , source_(settings_.source, [this](std::string const& cluster) { return store_.positions(cluster); })
    , batch_(source_, store_, dead, counters, settings_.decoding)
    , backoff_(backoff_first, backoff_longest)
    , random_(std::random_device{}())
{
    if (!settings_.counted_topic.empty()) counter_.emplace(settings_.source.client);
}

lane::~lane()
{
    stop();
    if (thread_.joinable()) thread_.join();
}

void lane::start()
{
    thread_ = std::thread{[this] { run(); }};
}

void lane::stop()
{
    stopping_ = true;
    store_.stop();
}

lane_health lane::health() const
{
    std::lock_guard const lock{health_mutex_};
    auto health = health_;
    health.brokers_up = source_.brokers_up();
    health.kept_out = source_.kept_out();
    health.broker_trouble = source_.trouble();
    return health;
}

bool lane::caught_up() const
{
    if (!source_.positioned()) return false;
    for (auto const& lag : source_.lag()) {
        if (lag.records > 0) return false;
    }
    return true;
}

void lane::run()
{
    while (!stopping_ && !source_.failed_for_good()) {
        step();
        report_lag();
        count_dead_letters();
    }
}

void lane::step()
{
    if (!health().schema_checked) return check_schema();
    if (batch_.empty()) read_on();
    if (batch_.empty()) return;
    auto const result = batch_.process();
    if (result.cause == pause_cause::none) return carry_on();
    back_off(result.cause, result.detail);
}

void lane::check_schema()
{
    auto const checked = store_.check();
    if (checked.status != apply_status::applied) {
        auto const mismatched = checked.status == apply_status::mismatched;
        return back_off(mismatched ? pause_cause::schema : pause_cause::database, checked.detail);
    }
    log::info("Strapi's tables found", {{"lane", settings_.name}, {"profile_types", store_.schema()->profiles.size()}});
    if (source_.go_back_if_forgotten()) batch_.drop();
    // Reading works. Whether writing does, a batch in hand will tell: until then nothing runs again, and the waits
    // grow.
    if (batch_.empty()) carry_on();
    std::lock_guard const lock{health_mutex_};
    health_.schema_checked = true;
}

void lane::read_on()
{
    if (settings_.may_read && !settings_.may_read()) {
        static_cast<void>(source_.hold(poll_wait));
        return;
    }
    batch_.take(source_.poll(poll_wait));
    if (!batch_.empty()) fail_point(fail_at::worker_after_poll);
    if (!batch_.empty() || std::chrono::steady_clock::now() < idle_look_at_) return;
    // Without traffic, only a look tells that the database went away or that Strapi changed its tables.
    idle_look_at_ = std::chrono::steady_clock::now() + idle_look_interval;
    auto const looked = store_.apply({}, {});
    if (looked.status == apply_status::applied) return carry_on();
    back_off(looked.status == apply_status::mismatched ? pause_cause::schema : pause_cause::database, looked.detail);
}

void lane::back_off(pause_cause cause, std::string const& detail)
{
    if (stopping_) return;
    auto const wait = backoff_.next(std::uniform_real_distribution<>{0, 1}(random_));
    auto changed = false;
    {
        std::lock_guard const lock{health_mutex_};
        changed = health_.cause != cause || health_.detail != detail;
        health_.cause = cause;
        health_.detail = detail;
        // What comes back may not be what went: another server, an older state, other tables.
        if (cause == pause_cause::database || cause == pause_cause::schema) health_.schema_checked = false;
    }
    metrics_.paused(settings_.name, cause);
    tell_paused(cause, detail, wait, changed);
    // The group is served meanwhile, so that it does not think us dead; in small steps, so that a stop is heard.
    auto const until = std::chrono::steady_clock::now() + wait;
    while (!stopping_ && std::chrono::steady_clock::now() < until) {
        if (source_.hold(std::min<std::chrono::milliseconds>(poll_wait, wait))) return batch_.drop();
    }
}

// At once when it is news, then twice a minute. Tables that are not what we need are somebody's to mend; all else
// heals.
void lane::tell_paused(pause_cause cause, std::string const& detail, std::chrono::milliseconds wait, bool news)
{
    auto const held_back = pauses_told_.pass();
    if (!news && !held_back) return;
    log::write(cause == pause_cause::schema ? log::level::error : log::level::warning, "paused",
        {{"lane", settings_.name}, {"cause", to_string(cause)}, {"detail", detail}, {"retry_in_ms", wait},
            {"held_back", held_back.value_or(0)}});
}

void lane::carry_on()
{
    backoff_.reset();
    std::lock_guard const lock{health_mutex_};
    if (health_.cause == pause_cause::none) return;
    health_.cause = pause_cause::none;
    health_.detail.clear();
    metrics_.paused(settings_.name, pause_cause::none);
    log::info("running again", {{"lane", settings_.name}});
}

void lane::report_lag()
{
    auto const now = std::chrono::steady_clock::now();
    if (now - lag_told_at_ < lag_interval) return;
    lag_told_at_ = now;
    std::map<std::int32_t, std::int64_t> records;
    for (auto const& lag : source_.lag())
        records[lag.partition] = lag.records;
    metrics_.lag(settings_.source.topic, records);
}

void lane::count_dead_letters()
{
    auto const now = std::chrono::steady_clock::now();
    if (!counter_ || !source_.positioned() || now - counted_at_ < count_interval) return;
    counted_at_ = now;
    auto const extents = counter_->extents(settings_.counted_topic, count_wait);
    if (!extents) return;
    std::int64_t records = 0;
    for (auto const& one : *extents)
        records += one.next - one.first;
    auto const closed = store_.closed_letters(counter_->cluster(), settings_.counted_topic, *extents);
    if (closed) metrics_.dead_letters_open(records - *closed);
}

}
