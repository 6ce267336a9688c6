#include "worker/operate/replay_pass.hpp"

#include <functional>

namespace clerk_strapi::worker::commands
{

namespace
{

using namespace std::chrono_literals;

bool writes_rows(event_outcome outcome)
{
    switch (outcome) {
    case event_outcome::created:
    case event_outcome::adopted:
    case event_outcome::updated:
    case event_outcome::deleted: return true;
    case event_outcome::unchanged:
    case event_outcome::duplicate:
    case event_outcome::stale:
    case event_outcome::parked: return false;
    }
    return false;
}

}

result<void, failure> replay_pass::take(std::vector<event_record> const& records)
{
    std::vector<user_event> events;
    events.reserve(records.size());
    for (auto const& record : records) {
        ++totals_.read;
        if (!choice_.user.empty() && record.key != choice_.user) {
            ++totals_.others;
            continue;
        }
        auto decoded = decode_record(record.view(), choice_.decoding);
        if (decoded)
            events.push_back(std::move(*decoded));
        else
            ++totals_.unusable[std::string{decoded.error().name()}];
    }
    return apply(events);
}

result<void, failure> replay_pass::apply(std::span<user_event const> events)
{
    if (events.empty()) return {};
    backoff waits{200ms, 5s};
    auto const deadline = std::chrono::steady_clock::now() + choice_.patience;
    for (;;) {
        auto const applied = store_.replay({events.begin(), events.end()}, choice_.mode);
        switch (applied.status) {
        case apply_status::applied: count(events, applied); return {};
        case apply_status::mismatched: return failure{applied.detail};
        case apply_status::refused: {
            if (events.size() == 1) {
                ++totals_.refused;
                return {};
            }
            auto const half = events.size() / 2;
            if (auto const first = apply(events.first(half)); !first) return first;
            return apply(events.subspan(half));
        }
        case apply_status::unavailable:
            if (std::chrono::steady_clock::now() >= deadline)
                return failure{"cannot use the database: " + applied.detail};
            if (stop_.wait_for(waits.next(0.5)))
                return failure{"stopped while the database was unavailable: " + applied.detail};
        }
    }
}

void replay_pass::count(std::span<user_event const> events, apply_result const& applied)
{
    for (std::size_t i = 0; i < events.size(); ++i) {
        ++totals_.outcomes[static_cast<std::size_t>(applied.outcomes[i])];
        // A dry run rolls each batch back, so a user in several batches is written in each: count users by id.
        if (choice_.mode.roll_back && writes_rows(applied.outcomes[i]))
            totals_.changed.insert(std::hash<std::string>{}(events[i].clerk_id));
    }
}

std::string lines_of(replay_totals const& totals, bool dry_run)
{
    std::string lines;
    auto const add = [&](std::string_view what, std::uint64_t count, std::string const& more) {
        lines += std::string{what} + "  " + std::to_string(count) + more + '\n';
    };
    for (std::size_t i = 0; i < totals.outcomes.size(); ++i) {
        if (totals.outcomes[i] > 0) add(to_string(static_cast<event_outcome>(i)), totals.outcomes[i], "");
    }
    for (auto const& [reason, count] : totals.unusable)
        add("unusable", count, "  " + reason);
    if (totals.refused > 0) add("refused", totals.refused, "  by the database; see `clerk-worker dlq list`");
    if (dry_run) add("users whose rows would be written", totals.changed.size(), "");
    return lines;
}

nlohmann::ordered_json json_of(replay_totals const& totals, bool dry_run)
{
    nlohmann::ordered_json summary{{"read", totals.read}, {"outcomes", nlohmann::ordered_json::object()}};
    for (std::size_t i = 0; i < totals.outcomes.size(); ++i) {
        if (totals.outcomes[i] > 0)
            summary["outcomes"][std::string{to_string(static_cast<event_outcome>(i))}] = totals.outcomes[i];
    }
    summary["unusable"] = totals.unusable;
    summary["refused"] = totals.refused;
    summary["dry_run"] = dry_run;
    if (dry_run) summary["users"] = totals.changed.size();
    return summary;
}

}
