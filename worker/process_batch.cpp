#include "worker/process_batch.hpp"

#include "common/log/logging.hpp"
#include "common/process/fail_point.hpp"
#include "worker/consume/record_trail.hpp"

#include <algorithm>
#include <map>

namespace clerk_strapi::worker
{

namespace
{

// After an outage the first transaction is small, and the next ones grow: a database that has just recovered, or that
// is busy with locks, gets less work at first.
constexpr std::size_t run_after_outage = 50;

void log_applied(event_record const& record, event_kind kind, event_outcome outcome)
{
    auto const trail = trail_of(record.view());
    log::debug("event applied",
        {{"event_id", trail.event_id}, {"clerk_id", trail.clerk_id}, {"trace_id", trail.trace_id},
            {"type", to_string(kind)}, {"outcome", to_string(outcome)}, {"topic", record.topic},
            {"partition", record.partition}, {"offset", record.offset}});
}

pause_cause cause_of(apply_status status)
{
    return status == apply_status::mismatched ? pause_cause::schema : pause_cause::database;
}

}

bool dead_letter_watch::dead_lettered(std::string_view reason)
{
    if (reason != reason_) count_ = 0;
    reason_ = reason;
    if (++count_ < storm_begins_at) return false;
    count_ = 0;
    return true;
}

void batch_processor::take(std::vector<event_record> records)
{
    drop();
    records_ = std::move(records);
    decoded_.reserve(records_.size());
    for (auto const& record : records_)
        decoded_.push_back(decode_record(record.view(), rules_));
}

void batch_processor::drop()
{
    records_.clear();
    decoded_.clear();
    next_ = stored_ = 0;
}

batch_result batch_processor::process()
{
    while (next_ < records_.size()) {
        auto const& first = decoded_[next_];
        auto const stopped = first ? apply_run() : dead_letter_one(first.error());
        if (stopped) return *stopped;
    }
    auto refused = false;
    if (stored_ < records_.size()) {
        if (auto const stopped = apply({}, records_.size(), refused)) return *stopped;
    }
    drop();
    if (std::exchange(storm_, false))
        return {pause_cause::poison_storm, "five records in a row were dead-lettered for one reason"};
    return {};
}

// The records from next_ on that can be applied together.
std::size_t batch_processor::run_end() const
{
    auto end = next_;
    while (end < records_.size() && decoded_[end] && end - next_ < run_max_)
        ++end;
    return end;
}

std::optional<batch_result> batch_processor::apply_run()
{
    auto const end = run_end();
    std::vector<user_event> events;
    events.reserve(end - next_);
    for (auto i = next_; i < end; ++i)
        events.push_back(*decoded_[i]);
    auto refused = false;
    if (auto stopped = apply(events, end, refused)) return stopped;
    if (!refused) {
        watch_.succeeded();
        run_max_ = run_max_ > records_.size() ? run_max_ : run_max_ * 2;
        return std::nullopt;
    }
    if (end - next_ == 1)
        return dead_letter_one({dead_letter_reason::refused_by_database,
            "the database rejects these values (SQLSTATE class 22 or 23)", {}});
    run_max_ = std::max<std::size_t>(1, (end - next_) / 2);
    return std::nullopt;
}

std::optional<batch_result> batch_processor::apply(
    std::vector<user_event> const& events, std::size_t end, bool& refused)
{
    auto const positions = positions_until(end);
    auto const begun = std::chrono::steady_clock::now();
    auto const applied = store_.apply(events, positions);
    switch (applied.status) {
    case apply_status::applied:
        if (!events.empty()) metrics_.applied(events.size(), std::chrono::steady_clock::now() - begun);
        count(events, applied);
        if (!events.empty()) fail_point(fail_at::worker_after_commit);
        source_.finished(positions);
        next_ = stored_ = end;
        return std::nullopt;
    case apply_status::refused: refused = true; return std::nullopt;
    case apply_status::unavailable:
    case apply_status::mismatched:
        run_max_ = std::min(run_max_, run_after_outage);
        return batch_result{cause_of(applied.status), applied.detail};
    }
    return std::nullopt;
}

std::optional<batch_result> batch_processor::dead_letter_one(dead_letter_cause const& cause)
{
    if (!dead_.publish(records_[next_], cause))
        return batch_result{pause_cause::dead_letters, "the dead-letter topic did not accept a record"};
    fail_point(fail_at::worker_after_park);
    auto const& event = decoded_[next_];
    metrics_.event(event ? event->kind : event_kind::other, event_outcome::parked);
    metrics_.dead_lettered(cause.name());
    ++next_;
    if (!watch_.dead_lettered(cause.name())) return std::nullopt;
    storm_ = next_ == records_.size(); // process() returns it, after it stored the positions
    if (storm_) return std::nullopt;
    return batch_result{pause_cause::poison_storm, "five records in a row were dead-lettered for one reason"};
}

std::vector<partition_position> batch_processor::positions_until(std::size_t end) const
{
    std::map<std::int32_t, partition_position> last;
    for (auto i = stored_; i < end; ++i) {
        auto const& record = records_[i];
        last[record.partition] = {
            std::string{record.cluster}, std::string{record.topic}, record.partition, record.offset + 1};
    }
    std::vector<partition_position> positions;
    positions.reserve(last.size());
    for (auto& [partition, position] : last)
        positions.push_back(std::move(position));
    return positions;
}

void batch_processor::count(std::vector<user_event> const& events, apply_result const& applied)
{
    auto const now = std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::system_clock::now().time_since_epoch()); // for a histogram only; no decision uses our clock
    for (std::size_t i = 0; i < events.size(); ++i) {
        auto const& event = events[i];
        metrics_.event(event.kind, applied.outcomes[i]);
        if (event.version.event_ms > 0)
            metrics_.event_age(std::chrono::milliseconds{now.count() - event.version.event_ms});
        if (log::enabled(log::level::debug)) log_applied(records_[next_ + i], event.kind, applied.outcomes[i]);
    }
    for (auto const& one : applied.conflicts)
        metrics_.conflict(one);
    for (auto const field : applied.truncated)
        metrics_.truncated(field);
    for (auto const field : applied.replaced)
        metrics_.replaced(field);
}

}
