#pragma once

// What a member of an organization may do, out of the compact form of Clerk's tokens of version 2. Pure.

#include <string>
#include <string_view>
#include <vector>

namespace clerk_strapi::ingest
{

struct compact_permissions
{
    std::string_view features; // `fea`: "o:dashboard,u:search,ou:teams": only the organization's (o) count here
    std::string_view names; // `per`: "create,read"
    std::string_view masks; // `fpm`: "3,2": for each feature of the organization a bit mask, lowest bit first name
};

// "dashboard:create" and so on. What cannot be understood gives no permission: a mask that is no number of 64 bits,
// a bit without a name, a feature without a mask.
[[nodiscard]] std::vector<std::string> expand_permissions(compact_permissions const& compact);

}
