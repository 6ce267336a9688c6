#include "worker/decide/merge.hpp"

namespace clerk_strapi::worker
{

namespace
{

using presence = user_state::presence;

judgement entomb(user_state const& stored, user_event const& incoming)
{
    judgement verdict{stored, event_outcome::deleted, row_effect::remove};
    verdict.next.known = presence::tombstone;
    verdict.next.version = incoming.version;
    verdict.next.wishes = {}; // a deleted user's data is not kept
    return verdict;
}

judgement arrive(user_state const& stored, user_event const& incoming)
{
    judgement verdict{
        stored, stored.has_strapi_row ? event_outcome::adopted : event_outcome::created, row_effect::write};
    verdict.next.known = presence::present;
    verdict.next.version = incoming.version;
    // A first sight tells less than the adopted row does: `stored` then holds what the row shows.
    if (!stored.has_strapi_row || incoming.kind != event_kind::seen) verdict.next.wishes = incoming.wishes;
    verdict.next.wishes.created_at_ms = incoming.wishes.created_at_ms;
    verdict.next.has_strapi_row = true;
    verdict.next.mapping_changed = false;
    return verdict;
}

judgement supersede(user_state const& stored, user_event const& incoming)
{
    auto const same = stored.wishes == incoming.wishes && !stored.mapping_changed;
    judgement verdict{stored, same ? event_outcome::unchanged : event_outcome::updated, row_effect::write};
    if (!stored.has_strapi_row) verdict.outcome = event_outcome::created;
    verdict.next.version = incoming.version;
    verdict.next.wishes = incoming.wishes;
    verdict.next.has_strapi_row = true;
    verdict.next.mapping_changed = false;
    return verdict;
}

// An old event changes nothing, but is an occasion to repair rows that do not show the stored state.
judgement look_back(user_state const& stored, event_outcome outcome)
{
    if (stored.has_strapi_row && !stored.mapping_changed) return {stored, outcome, row_effect::nothing};
    judgement verdict{
        stored, stored.has_strapi_row ? event_outcome::updated : event_outcome::created, row_effect::write};
    verdict.next.has_strapi_row = true;
    verdict.next.mapping_changed = false;
    return verdict;
}

// A deletion without a date may be a new one, and a deletion that is lost cannot be made good.
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

judgement judge(user_state const& stored, user_event const& incoming)
{
    if (stored.known == presence::tombstone) return {stored, event_outcome::stale, row_effect::nothing};
    if (incoming.kind == event_kind::deleted) {
        if (is_before_revival(stored, incoming)) return {stored, event_outcome::stale, row_effect::nothing};
        return entomb(stored, incoming);
    }
    if (stored.known == presence::absent) return arrive(stored, incoming);
    if (incoming.kind == event_kind::seen) return look_back(stored, event_outcome::duplicate);
    if (incoming.version > stored.version) return supersede(stored, incoming);
    return look_back(stored, incoming.version == stored.version ? event_outcome::duplicate : event_outcome::stale);
}

}
