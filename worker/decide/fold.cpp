#include "worker/decide/fold.hpp"

namespace clerk_strapi::worker
{

std::vector<event_outcome> fold_events(std::vector<user_event> const& events, user_cases& cases)
{
    for (auto& [id, user] : cases)
        user.after = user.before;
    std::vector<event_outcome> outcomes;
    outcomes.reserve(events.size());
    for (auto const& event : events) {
        auto& user = cases.find(event.clerk_id)->second;
        auto const merged = merge_event(user.after, event);
        user.after = merged.next;
        if (merged.effect != row_effect::nothing) {
            user.effect = merged.effect;
            user.deciding_event = outcomes.size();
        }
        outcomes.push_back(merged.outcome);
    }
    return outcomes;
}

user_state state_of_unknown_row(strapi_row const& row)
{
    user_state state;
    state.has_strapi_row = true;
    if (row.provider == provider_deleted) {
        state.known = user_state::presence::tombstone;
        return state;
    }
    state.desired.email = row.email;
    state.desired.username = row.username;
    state.desired.full_name = row.full_name;
    return state;
}

std::optional<bool> decide_block(user_case& user)
{
    auto const turned_on = user.after.desired.banned && !user.before.desired.banned;
    if (turned_on && !user.row->blocked) {
        user.written.blocked_by_us = true;
        return true;
    }
    if (!user.after.desired.banned && user.written.blocked_by_us) {
        user.written.blocked_by_us = false;
        if (user.row->blocked) return false;
    }
    return std::nullopt;
}

}
