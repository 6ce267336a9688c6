#pragma once

// ROLE_MAP: from a value in Clerk's public_metadata to a type of Strapi's roles (README.md in this folder). Pure. Only
// roles that the operator listed in `allowed` are assigned; unknown values have no effect.

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
    std::vector<std::string> precedence; // every value of `types`; the first one that a user has decides
    std::optional<std::string> initial; // of users without a known value; nullopt: Strapi's own default role

    // nullopt: Strapi's own default role.
    [[nodiscard]] std::optional<std::string> answer(std::vector<std::string> const& hints) const;
    // Every type that answer() may return.
    [[nodiscard]] std::vector<std::string> answers() const;
};

struct role_map_fault
{
    std::string what; // with the fix; printed after the variable's name
};

[[nodiscard]] result<role_map, role_map_fault> parse_role_map(std::string_view text);

}
