#pragma once

// Which row to keep when a Clerk user has several Strapi rows, as the legacy plugin could write them. Pure. If exactly
// one row has content of the site, it is kept; if none has, the row with the lowest id; if several have, the operator
// must decide. Establishes I4 on a site that had the legacy plugin.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace clerk_strapi::worker
{

struct duplicate_row
{
    std::int64_t id{0};
    bool blocked{false};
    // What refers to the row besides its role and unchanged profiles: table -> rows.
    std::map<std::string, std::int64_t> content;
};

struct duplicate_user
{
    std::string clerk_id;
    std::vector<duplicate_row> rows; // by id
};

// The id to keep; nothing when several rows have content.
[[nodiscard]] std::optional<std::int64_t> row_to_keep(duplicate_user const& user);

}
