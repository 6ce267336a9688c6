#pragma once

// A batch of events, folded per user by the rule of merging before any row is written: twenty updates of one user
// are one UPDATE. Pure.

#include "worker/decide/merge.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace clerk_strapi::worker
{

// A row of Strapi's user table, the columns we look at.
struct strapi_row
{
    std::int64_t id{0};
    std::string document_id;
    std::string email;
    std::string username;
    std::optional<std::string> full_name;
    bool blocked{false};
    std::string provider;
    bool lost_clerk_id{false}; // found by stored id and document id: the column was dropped and came back empty
};

// What we gave a user, remembered to tell our own writes from an admin's.
struct given_values
{
    std::optional<std::int64_t> strapi_id;
    std::string document_id;
    std::optional<std::int64_t> role_id;
    std::optional<std::string> profile_name; // the last one written
    bool blocked_by_us{false};
    std::vector<std::string> waits_for; // values he asks for and does without, because somebody else has them; sorted
    std::optional<std::string> role_answer; // what ROLE_MAP said when role_id was settled; nothing: Strapi's default

    friend bool operator==(given_values const&, given_values const&) = default;
};

// One user of a batch, from what was found to what has to be written.
struct user_case
{
    std::string clerk_id;
    bool state_stored{false}; // clerk_sync.user_state has a row, and we hold its lock
    user_state before;
    user_state after;
    given_values gave;
    std::optional<strapi_row> row;
    row_effect effect{row_effect::nothing};
    std::optional<std::size_t> deciding_event; // the last one that had an effect, as an index into the batch

    [[nodiscard]] bool state_changed() const
    {
        return !state_stored || effect != row_effect::nothing || after.version != before.version
            || after.known != before.known;
    }
};

// Cases by Clerk id: sorted, so that two workers lock rows in the same order.
using user_cases = std::map<std::string, user_case, std::less<>>;

// Judges the events in their order. One outcome an event; `cases` holds every event's user.
[[nodiscard]] std::vector<event_outcome> fold_events(std::vector<user_event> const& events, user_cases& cases);

// The provider of rows that DELETE_POLICY=block left behind.
inline constexpr std::string_view provider_deleted = "clerk-deleted";
inline constexpr std::string_view provider_clerk = "clerk";

// The state that a row without one of ours stands for: the seed's user, or one that was blocked on deletion.
[[nodiscard]] user_state state_of_unknown_row(strapi_row const& row);

// What the `blocked` column must become, if anything: true when Clerk's flag turned true, false only to undo our
// own true, so an admin's block stays. Updates `gave`.
[[nodiscard]] std::optional<bool> settle_block(user_case& user);

}
