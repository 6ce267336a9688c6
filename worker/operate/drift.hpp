#pragma once

// How Strapi's rows of one Clerk user differ from Clerk's data, for `reconcile`. Pure. Differences that the worker
// keeps on purpose are not drift: a value that another user has, a block by an administrator, a role set by hand.

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
    desired_values desired;
    bool blocked_by_us{false};
    std::optional<std::string> role_answer{}; // ROLE_MAP's answer for the role that we set; nothing: the default role
};

struct strapi_user_row // Strapi's row
{
    std::string email;
    std::string username;
    std::optional<std::string> full_name;
    bool blocked{false};
    bool left_by_deletion{false}; // DELETE_POLICY=block left it
    bool has_given_role{false}; // the role that we set, not one set by hand
    bool has_profiles{false}; // one of each configured type
};

// What the database has of one Clerk user.
struct user_facts
{
    std::optional<known_user> known;
    std::optional<strapi_user_row> strapi;
    bool email_held{false}; // another user has the desired e-mail
    bool username_held{false};
};

enum class drift_kind {
    none,
    missing, // in Clerk, no row in Strapi
    differs, // both, but not equal
    tombstoned, // in Clerk, but with a tombstone here
    extra, // in Strapi or in our state, but not in Clerk
};
[[nodiscard]] std::string_view to_string(drift_kind kind);

enum class drift_field { state, email, username, full_name, blocked, role, profile };
[[nodiscard]] std::string_view to_string(drift_field field);

struct drift
{
    drift_kind kind{drift_kind::none};
    std::vector<drift_field> fields; // of `differs`
    bool conflict{false}; // another user has the e-mail or username: reported, but not drift
};

// One user of Clerk: the desired values, and ROLE_MAP's answer.
struct wanted_user
{
    desired_values desired;
    std::optional<std::string> role_answer{}; // nothing: Strapi's default role
};
[[nodiscard]] drift find_drift(
    std::string_view clerk_id, wanted_user const& wanted, user_facts const& found, std::string_view placeholder_domain);

// Whether the worker may still be applying a difference: Clerk's data changed less than `settle_ms` before it was read,
// or the stored state is newer than what was read.
[[nodiscard]] bool is_under_way(
    std::int64_t updated_at_ms, std::int64_t asked_at_ms, std::int64_t settle_ms, user_facts const& found);

}
