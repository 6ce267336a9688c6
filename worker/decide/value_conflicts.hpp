#pragma once

// Assigns e-mails and usernames. Strapi's own check requires that a value is in neither field of another user, but its
// database does not enforce it. Rules C1 to C7 of README.md, in this folder. Pure. Keeps I2.

#include "common/event/user_event.hpp"
#include "worker/decide/field_map.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

namespace clerk_strapi::worker
{

// The labels of clerk_worker_conflicts_total.
enum class value_field { email, username };
enum class conflict_decision {
    placeholder, // the user is assigned a fallback, because another row has the value
    displaced, // the user had the value and lost it to a better candidate
    healed, // the user was waiting for the value and is now assigned it
    linked, // the local row that had the e-mail became the Clerk user's
    not_linked, // the user could have linked a local row, but rule C7 or C8 prevents it
};
[[nodiscard]] std::string_view to_string(value_field field);
[[nodiscard]] std::string_view to_string(conflict_decision decision);

struct conflict
{
    value_field field{value_field::email};
    conflict_decision decision{conflict_decision::placeholder};
};

// One Clerk user with the values that this user desires.
struct candidate
{
    std::string clerk_id;
    std::string email; // mapped to Strapi's columns, as is the username
    std::string username;
    bool email_verified{false};
    event_version version;
    bool may_link{false}; // the user's side of rule C7
    bool keeps_own_row{false}; // rule C8 forbids to give the user's row up for a local one
};

// A row without a Clerk user in user_state: it keeps its values (rule C6).
struct local_row
{
    std::int64_t id{0};
    std::string email;
    std::string username;
    bool linkable{true}; // false: it has, or had, a Clerk id
};

struct assigned_values
{
    std::string email;
    std::string username;
    std::vector<std::string> waits_for; // values that the user did not get, sorted (rule C9)
    std::optional<std::int64_t> linked_row;
    bool link_prevented{false}; // the user won a local row's e-mail, but rule C7 or C8 forbids the link
};

struct assignment
{
    std::vector<assigned_values> users; // in the order of the candidates
    std::unordered_set<std::string> considered; // every value that took part
};

// Rules C1 to C7.
[[nodiscard]] assignment assign_values(std::vector<candidate> const& candidates, std::vector<local_row> const& locals,
    std::string_view placeholder_domain);

// The desired value (level 0) or a fallback (rule C5). Every level has a value.
[[nodiscard]] std::string value_at_level(
    candidate const& user, value_field field, std::size_t level, std::string_view placeholder_domain);

}
