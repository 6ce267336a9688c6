#pragma once

// Folds a batch of events per user by the merge rule, before any row is written: twenty updates of one user become one
// UPDATE. Pure.

#include "worker/decide/merge.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace clerk_strapi::worker
{

// A row of Strapi's user table, with the columns that the worker reads.
struct strapi_row
{
    std::int64_t id{0};
    std::string document_id;
    std::string email;
    std::string username;
    std::optional<std::string> full_name;
    bool blocked{false};
    std::string provider;
    bool lost_clerk_id{false}; // found by id and document id, because the column was dropped and recreated empty
};

// What the worker wrote for a user, stored to distinguish its writes from those of a person.
struct written_values
{
    std::optional<std::int64_t> strapi_id;
    std::string document_id;
    std::optional<std::int64_t> role_id;
    std::optional<std::string> profile_name; // the last one written
    bool blocked_by_us{false};
    std::vector<std::string> waits_for; // the waiting list, sorted (rule C9)
    std::optional<std::string> role_answer; // the type by ROLE_MAP of role_id; nullopt: Strapi's default role

    friend bool operator==(written_values const&, written_values const&) = default;
};

// One user of a batch: what was found, and what to write.
struct user_case
{
    std::string clerk_id;
    bool state_stored{false}; // clerk_sync.user_state has a row, and this transaction holds its lock
    user_state before;
    user_state after;
    written_values written;
    std::optional<strapi_row> row;
    row_effect effect{row_effect::nothing};
    std::optional<std::size_t> deciding_event; // the last one with an effect: an index into the batch

    [[nodiscard]] bool state_changed() const
    {
        return !state_stored || effect != row_effect::nothing || after.version != before.version
            || after.known != before.known;
    }
};

// By Clerk id, sorted (rule L1).
using user_cases = std::map<std::string, user_case, std::less<>>;

// Applies the merge rule to the events in their order. One outcome per event. `cases` has every event's user.
[[nodiscard]] std::vector<event_outcome> fold_events(std::vector<user_event> const& events, user_cases& cases);

// The provider of rows that stay with DELETE_POLICY=block.
inline constexpr std::string_view provider_deleted = "clerk-deleted";
inline constexpr std::string_view provider_clerk = "clerk";

// The state of a row without stored state: a user of the legacy plugin, or one that was blocked on deletion.
[[nodiscard]] user_state state_of_unknown_row(strapi_row const& row);

// The new value of the `blocked` column, if any: true when Clerk's `banned` became true; false only to undo the
// worker's own true, so that an administrator's block stays. Updates `written`.
[[nodiscard]] std::optional<bool> decide_block(user_case& user);

}
