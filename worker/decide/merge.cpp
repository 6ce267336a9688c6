#include "worker/decide/merge.hpp"

namespace clerk_strapi::worker
{

namespace
{

using presence = user_state::presence;

merge_result mark_deleted(user_state const& stored, user_event const& incoming)
{
    merge_result merged{stored, event_outcome::deleted, row_effect::remove};
    merged.next.known = presence::tombstone;
    merged.next.version = incoming.version;
    merged.next.desired = {}; // no personal data of a deleted user is kept
    return merged;
}

merge_result create_or_adopt(user_state const& stored, user_event const& incoming)
{
    merge_result merged{
        stored, stored.has_strapi_row ? event_outcome::adopted : event_outcome::created, row_effect::write};
    merged.next.known = presence::present;
    merged.next.version = incoming.version;
    // A token has fewer fields than the adopted row. `stored` has the values of that row.
    if (!stored.has_strapi_row || incoming.kind != event_kind::seen) merged.next.desired = incoming.desired;
    merged.next.desired.created_at_ms = incoming.desired.created_at_ms;
    merged.next.has_strapi_row = true;
    merged.next.mapping_changed = false;
    return merged;
}

merge_result update_user(user_state const& stored, user_event const& incoming)
{
    auto const same = stored.desired == incoming.desired && !stored.mapping_changed;
    merge_result merged{stored, same ? event_outcome::unchanged : event_outcome::updated, row_effect::write};
    if (!stored.has_strapi_row) merged.outcome = event_outcome::created;
    merged.next.version = incoming.version;
    merged.next.desired = incoming.desired;
    merged.next.has_strapi_row = true;
    merged.next.mapping_changed = false;
    return merged;
}

// An old event changes no state, but repairs rows that do not show it.
merge_result repair_rows(user_state const& stored, event_outcome outcome)
{
    if (stored.has_strapi_row && !stored.mapping_changed) return {stored, outcome, row_effect::nothing};
    merge_result merged{
        stored, stored.has_strapi_row ? event_outcome::updated : event_outcome::created, row_effect::write};
    merged.next.has_strapi_row = true;
    merged.next.mapping_changed = false;
    return merged;
}

// A deletion without a date is applied: it may be new, and a lost deletion cannot be repaired.
bool is_before_revival(user_state const& stored, user_event const& deletion)
{
    return deletion.version.event_ms > 0 && deletion.version.event_ms < stored.revived_at_ms;
}

}

std::string_view to_string(event_outcome outcome)
{
    switch (outcome) {
    case event_outcome::created: return "created";
    case event_outcome::adopted: return "adopted";
    case event_outcome::updated: return "updated";
    case event_outcome::unchanged: return "unchanged";
    case event_outcome::duplicate: return "duplicate";
    case event_outcome::stale: return "stale";
    case event_outcome::deleted: return "deleted";
    case event_outcome::parked: return "parked";
    }
    return "parked";
}

merge_result merge_event(user_state const& stored, user_event const& incoming)
{
    if (stored.known == presence::tombstone) return {stored, event_outcome::stale, row_effect::nothing};
    if (incoming.kind == event_kind::deleted) {
        if (is_before_revival(stored, incoming)) return {stored, event_outcome::stale, row_effect::nothing};
        return mark_deleted(stored, incoming);
    }
    if (stored.known == presence::absent) return create_or_adopt(stored, incoming);
    if (incoming.kind == event_kind::seen) return repair_rows(stored, event_outcome::duplicate);
    if (incoming.version > stored.version) return update_user(stored, incoming);
    return repair_rows(stored, incoming.version == stored.version ? event_outcome::duplicate : event_outcome::stale);
}

}
