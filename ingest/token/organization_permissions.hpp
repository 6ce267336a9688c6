#pragma once

// Expands the compact organization permissions of Clerk's tokens of version 2. Pure.

#include <string>
#include <string_view>
#include <vector>

namespace clerk_strapi::ingest
{

struct compact_permissions
{
    std::string_view features; // `fea`: "o:dashboard,u:search,ou:teams"; only those of the organization (o) count
    std::string_view names; // `per`: "create,read"
    std::string_view
        masks; // `fpm`: "3,2": one bit mask per feature of the organization; the lowest bit is the first name
};

// Returns permissions such as "dashboard:create". Invalid input grants nothing: a mask that is not a 64-bit number, a
// bit without a name, a feature without a mask.
[[nodiscard]] std::vector<std::string> expand_permissions(compact_permissions const& compact);

}
