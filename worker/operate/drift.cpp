#include "worker/operate/drift.hpp"

#include "worker/decide/field_map.hpp"

namespace clerk_strapi::worker
{
namespace
{

// An assigned value may differ from the desired one only while another user has it, and our state has the same desired
// value.
bool is_conflict(bool held, std::optional<known_user> const& known, desired_values const& wanted)
{
    return held && known && known->desired.email == wanted.email && known->desired.username == wanted.username;
}

// Only our own blocks count: an administrator may block and unblock any user.
bool block_differs(desired_values const& wanted, user_facts const& found)
{
    if (wanted.banned && !found.strapi->blocked) return !found.known || !found.known->desired.banned;
    return !wanted.banned && found.strapi->blocked && found.known && found.known->blocked_by_us;
}

// The worker changes a role only if it set that role. A role set by hand stays, and a removed role stays removed.
bool role_differs(wanted_user const& wanted, user_facts const& found)
{
    return found.known && found.strapi->has_given_role && found.known->role_answer != wanted.role_answer;
}

}

std::string_view to_string(drift_kind kind)
{
    switch (kind) {
    case drift_kind::none: return "none";
    case drift_kind::missing: return "missing";
    case drift_kind::differs: return "differs";
    case drift_kind::tombstoned: return "tombstoned";
    case drift_kind::extra: return "extra";
    }
    return "none";
}

std::string_view to_string(drift_field field)
{
    switch (field) {
    case drift_field::state: return "state";
    case drift_field::email: return "email";
    case drift_field::username: return "username";
    case drift_field::full_name: return "full_name";
    case drift_field::blocked: return "blocked";
    case drift_field::role: return "role";
    case drift_field::profile: return "profile";
    }
    return "state";
}

drift find_drift(
    std::string_view clerk_id, wanted_user const& wanted, user_facts const& found, std::string_view placeholder_domain)
{
    if ((found.known && found.known->tombstone) || (!found.known && found.strapi && found.strapi->left_by_deletion))
        return {drift_kind::tombstoned, {}, false};
    if (!found.strapi) return {drift_kind::missing, {}, false};
    drift result;
    auto const& row = *found.strapi;
    auto const values = map_to_strapi(clerk_id, wanted.desired, placeholder_domain);
    auto const compare = [&](bool differs, drift_field field) {
        if (differs) result.fields.push_back(field);
    };
    auto const compare_unique = [&](bool differs, bool held, drift_field field) {
        auto const conflict = differs && is_conflict(held, found.known, wanted.desired);
        result.conflict = result.conflict || conflict;
        compare(differs && !conflict, field);
    };
    compare(!found.known, drift_field::state);
    compare_unique(row.email != values.email, found.email_held, drift_field::email);
    compare_unique(row.username != values.username, found.username_held, drift_field::username);
    compare(row.full_name != values.full_name, drift_field::full_name);
    compare(block_differs(wanted.desired, found), drift_field::blocked);
    compare(role_differs(wanted, found), drift_field::role);
    compare(!row.has_profiles, drift_field::profile);
    if (!result.fields.empty()) result.kind = drift_kind::differs;
    return result;
}

bool is_under_way(std::int64_t updated_at_ms, std::int64_t asked_at_ms, std::int64_t settle_ms, user_facts const& found)
{
    return asked_at_ms - updated_at_ms < settle_ms || (found.known && found.known->updated_at_ms > updated_at_ms);
}

}
