#pragma once

// The merge rule (README.md in this folder): what one event does to one Clerk user. Pure. The final state depends only
// on the set of events, not on order, copies or crashes: the newest version wins, a tombstone wins over all. Keeps I2,
// I3.

#include "common/event/user_event.hpp"

#include <optional>
#include <string>

namespace clerk_strapi::worker
{

// One Clerk user in clerk_sync.user_state, and whether Strapi has the row.
struct user_state
{
    enum class presence { absent, present, tombstone };

    presence known{presence::absent};
    event_version version; // of the newest event; meaningless when absent
    desired_values desired; // of the newest event; empty when absent or tombstone
    std::int64_t revived_at_ms{0}; // when an operator removed a tombstone: older deletions are stale; 0: never
    bool has_strapi_row{false};
    bool mapping_changed{false}; // the rows were written under another mapping hash
};

// The label `outcome` of clerk_worker_events_total.
enum class event_outcome {
    created, // the user's rows were inserted
    adopted, // rows without stored state (of the legacy plugin) were taken over
    updated, // columns were written
    unchanged, // newer, but no column differs
    duplicate, // the same event was applied before; or just-in-time provisioning of a known user
    stale, // older than the stored version, or of a deleted user
    deleted, // the user was removed; a tombstone stays
    parked, // dead-lettered
};
[[nodiscard]] std::string_view to_string(event_outcome outcome);

// What to do with Strapi's rows.
enum class row_effect {
    nothing,
    write, // make the rows show the state: insert what is missing, update what differs
    remove, // by DELETE_POLICY
};

struct merge_result
{
    user_state next;
    event_outcome outcome{event_outcome::stale};
    row_effect effect{row_effect::nothing};
};

// `updated`: the event is newer, and its desired values differ from the stored ones; `unchanged`: they do not. The
// caller corrects it when the row itself differs (edited by hand).
[[nodiscard]] merge_result merge_event(user_state const& stored, user_event const& incoming);

}
