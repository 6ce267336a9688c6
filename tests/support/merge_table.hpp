#pragma once

// The truth table of the merge rule: the stored state, the event, the result. It tests the pure rule and PostgreSQL.

#include "tests/support/events.hpp"
#include "worker/decide/merge.hpp"

#include <string>
#include <vector>

namespace clerk_strapi::tests
{

struct merge_row
{
    char const* name;
    worker::user_state::presence before;
    int version_before; // of the stored event, when present
    bool strapi_row;
    bool mapping_changed;
    event_kind incoming;
    int version;
    worker::event_outcome outcome;
    worker::row_effect effect;
    worker::user_state::presence after;
    int version_stored; // afterwards, when present
};

[[nodiscard]] inline std::vector<merge_row> merge_table()
{
    using enum worker::event_outcome;
    using enum worker::row_effect;
    constexpr auto absent = worker::user_state::presence::absent;
    constexpr auto present = worker::user_state::presence::present;
    constexpr auto tombstone = worker::user_state::presence::tombstone;
    using kind = event_kind;
    auto const was_created = worker::event_outcome::created;
    auto const was_updated = worker::event_outcome::updated;
    auto const was_deleted = worker::event_outcome::deleted;
    auto const was_duplicate = worker::event_outcome::duplicate;
    return {
        {"first event", absent, 0, false, false, kind::created, 1, was_created, write, present, 1},
        {"an update before its creation", absent, 0, false, false, kind::updated, 2, was_created, write, present, 2},
        {"a snapshot of an unknown user", absent, 0, false, false, kind::snapshot, 1, was_created, write, present, 1},
        {"provisioning by a token", absent, 0, false, false, kind::seen, 0, was_created, write, present, 0},
        {"a deletion is the first event", absent, 0, false, false, kind::deleted, 3, was_deleted, remove, tombstone, 0},
        {"the seed's user is deleted", absent, 0, true, false, kind::deleted, 3, was_deleted, remove, tombstone, 0},
        {"the seed's user is adopted", absent, 0, true, false, kind::updated, 2, adopted, write, present, 2},
        {"the seed's user is seen", absent, 0, true, false, kind::seen, 0, adopted, write, present, 0},
        {"newer", present, 1, true, false, kind::updated, 2, was_updated, write, present, 2},
        {"newer, row removed by hand", present, 1, false, false, kind::updated, 2, was_created, write, present, 2},
        {"the same again", present, 2, true, false, kind::updated, 2, was_duplicate, nothing, present, 2},
        {"the same again, row removed by hand", present, 2, false, false, kind::updated, 2, was_created, write, present,
            2},
        {"the same again, mapping changed", present, 2, true, true, kind::updated, 2, was_updated, write, present, 2},
        {"older", present, 3, true, false, kind::updated, 2, stale, nothing, present, 3},
        {"older, row removed by hand", present, 3, false, false, kind::updated, 2, was_created, write, present, 3},
        {"older, mapping changed", present, 3, true, true, kind::created, 2, was_updated, write, present, 3},
        {"seen again", present, 3, true, false, kind::seen, 0, was_duplicate, nothing, present, 3},
        {"seen again, row removed by hand", present, 3, false, false, kind::seen, 0, was_created, write, present, 3},
        {"deleted", present, 3, true, false, kind::deleted, 4, was_deleted, remove, tombstone, 0},
        {"deleted, with an older time", present, 3, true, false, kind::deleted, 1, was_deleted, remove, tombstone, 0},
        {"deleted, row removed by hand", present, 3, false, false, kind::deleted, 4, was_deleted, remove, tombstone, 0},
        {"created after the deletion", tombstone, 0, false, false, kind::created, 9, stale, nothing, tombstone, 0},
        {"updated after the deletion", tombstone, 0, false, false, kind::updated, 9, stale, nothing, tombstone, 0},
        {"seen after the deletion", tombstone, 0, false, false, kind::seen, 0, stale, nothing, tombstone, 0},
        {"a snapshot after the deletion", tombstone, 0, false, false, kind::snapshot, 9, stale, nothing, tombstone, 0},
        {"deleted twice", tombstone, 0, false, false, kind::deleted, 9, stale, nothing, tombstone, 0},
    };
}

[[nodiscard]] inline user_event event_of(merge_row const& row, std::string const& id)
{
    // The stored event and "the same again" must be the same event: updated(id, version).
    return make_event(row.incoming, id, row.version);
}

[[nodiscard]] inline worker::user_state state_before(merge_row const& row, std::string const& id)
{
    worker::user_state state;
    state.known = row.before;
    state.has_strapi_row = row.strapi_row;
    state.mapping_changed = row.mapping_changed;
    if (row.before == worker::user_state::presence::present) {
        auto const stored = updated(id, row.version_before);
        state.version = stored.version;
        state.desired = stored.desired;
    }
    return state;
}

[[nodiscard]] inline event_version version_after(merge_row const& row, std::string const& id)
{
    return row.version_stored == 0 ? event_version{} : updated(id, row.version_stored).version;
}

}
