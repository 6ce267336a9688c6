#pragma once

// How Strapi's rows of one Clerk user differ from what Clerk says: the judgement of `reconcile`. Pure. What is no fault
// of ours is no drift: a value that somebody else has, a block by an admin, a role given by hand.

#include "common/event/user_event.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace clerk_strapi::worker
{

struct known_user // clerk_sync.user_state
{
    bool tombstone{false};
    std::int64_t updated_at_ms{0};
    user_wishes wishes;
    bool blocked_by_us{false};
    std::optional<std::string> role_answer{}; // what ROLE_MAP said when we gave the role; nothing: the default
};

struct strapi_user_row // Strapi's row
{
    std::string email;
    std::string username;
    std::optional<std::string> full_name;
    bool blocked{false};
    bool left_by_deletion{false}; // DELETE_POLICY=block left it
    bool has_given_role{false}; // the role that we gave, not one by hand
    bool has_profiles{false}; // one of each configured type
};

// What the database knows of one Clerk user.
struct user_facts
{
    std::optional<known_user> known;
    std::optional<strapi_user_row> strapi;
    bool email_held{false}; // somebody else has the e-mail that he asks for
    bool username_held{false};
};

enum class drift_kind {
    none,
    missing, // in Clerk, no row in Strapi
    differs, // both, but not equal
    tombstoned, // in Clerk, and we hold that he was deleted
    extra, // in Strapi or in our state, and Clerk does not know him
};
[[nodiscard]] std::string_view to_string(drift_kind kind);

enum class drift_field { state, email, username, full_name, blocked, role, profile };
[[nodiscard]] std::string_view to_string(drift_field field);

struct drift
{
    drift_kind kind{drift_kind::none};
    std::vector<drift_field> fields; // of `differs`
    bool conflict{false}; // somebody else has the e-mail or username; told, but no drift
};

// One user whom Clerk has: what Clerk says he asks for, and what ROLE_MAP makes of it.
struct wanted_user
{
    user_wishes wishes;
    std::optional<std::string> role_answer{}; // nothing: Strapi's default role
};
[[nodiscard]] drift judge_drift(
    std::string_view clerk_id, wanted_user const& wanted, user_facts const& found, std::string_view placeholder_domain);

// Whether a difference may be news that is still on its way: Clerk's data changed within `settle_ms` of the reading, or
// our state is newer than what was read.
[[nodiscard]] bool is_under_way(
    std::int64_t updated_at_ms, std::int64_t asked_at_ms, std::int64_t settle_ms, user_facts const& found);

}
