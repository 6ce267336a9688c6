#pragma once

// The rule of merging (README, "The rule"): what one event does to one Clerk user. Pure. The final state depends
// only on the set of events, not on order, copies or crashes: the newest version wins, a tombstone wins over all.
// Keeps I2 and I3.

#include "common/event/user_event.hpp"

#include <optional>
#include <string>

namespace clerk_strapi::worker
{

// What is known of one Clerk user: clerk_sync.user_state, and whether Strapi has the row.
struct user_state
{
    enum class presence { absent, present, tombstone };

    presence known{presence::absent};
    event_version version; // of the newest event; meaningless when absent
    user_wishes wishes; // of the newest event; empty when absent or tombstone
    std::int64_t revived_at_ms{0}; // a person lifted a tombstone then: deletions dated before it are stale; 0: never
    bool has_strapi_row{false};
    bool mapping_changed{false}; // the stored rows were written by another mapping or configuration
};

// What became of an event: the label of clerk_worker_events_total.
enum class event_outcome {
    created, // the user's rows were inserted
    adopted, // rows without a state of ours (the seed's) were taken over
    updated, // columns were written
    unchanged, // newer, but no column differs
    duplicate, // this very event was applied before; or a first sight of a known user
    stale, // older than what is known, or about a deleted user
    deleted, // the user was removed and can never come back
    parked, // set aside in the dead-letter topic
};
[[nodiscard]] std::string_view to_string(event_outcome outcome);

// What has to be done to Strapi's rows afterwards.
enum class row_effect {
    nothing,
    write, // make the rows show the state: insert what is missing, update what differs
    remove, // by DELETE_POLICY
};

struct judgement
{
    user_state next;
    event_outcome outcome{event_outcome::stale};
    row_effect effect{row_effect::nothing};
};

// `updated` is said when the event is newer and the wishes differ from the stored ones, `unchanged` when they
// do not; a caller that knows better (a row edited by hand) may correct it.
[[nodiscard]] judgement judge(user_state const& stored, user_event const& incoming);

}
