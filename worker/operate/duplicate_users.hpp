#pragma once

// Several Strapi rows of one Clerk user, as the seed could write them: which row stays. Pure. Only one row may have
// anything of the site's own on it; then that one stays, else the one with the lowest id. Where several have, a
// person must decide. Makes I4 true on a site that did not know it.

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
    // What hangs on the row besides its role and untouched profiles: table -> rows.
    std::map<std::string, std::int64_t> content;
};

struct duplicate_user
{
    std::string clerk_id;
    std::vector<duplicate_row> rows; // by id
};

// The id that stays; nothing when several rows have content.
[[nodiscard]] std::optional<std::int64_t> row_to_keep(duplicate_user const& user);

}
