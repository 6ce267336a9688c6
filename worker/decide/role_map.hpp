#pragma once

// ROLE_MAP: from what Clerk's public_metadata says of a user to a type of Strapi's roles (README, "Roles"). Pure. What
// an operator did not list is never given: unknown values count for nothing, and each role must be allowed by name.

#include "common/event/result.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace clerk_strapi::worker
{

struct role_map
{
    std::string metadata_key; // the member of public_metadata
    std::map<std::string, std::string> types; // from its value to a role's type
    std::vector<std::string> precedence; // every value of `types`, the first that a user has decides
    std::optional<std::string> initial; // of users without a known value; nothing: Strapi's own default

    // Nothing: Strapi's own default role.
    [[nodiscard]] std::optional<std::string> answer(std::vector<std::string> const& hints) const;
    // Every type that an answer may name.
    [[nodiscard]] std::vector<std::string> answers() const;
};

struct role_map_fault
{
    std::string what; // with the fix, to be told after the variable's name
};

[[nodiscard]] result<role_map, role_map_fault> parse_role_map(std::string_view text);

}
