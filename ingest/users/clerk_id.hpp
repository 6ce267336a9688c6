#pragma once

// What may go into a query or a URL as a Clerk user's id. Verified tokens name nothing else; the edges do not rely on
// it, for theirs are the places where anything else would do harm.

#include <algorithm>
#include <string_view>

namespace clerk_strapi::ingest
{

inline constexpr std::size_t clerk_id_bytes_max = 128;

[[nodiscard]] inline bool possible_clerk_id(std::string_view id)
{
    return !id.empty() && id.size() <= clerk_id_bytes_max && std::all_of(id.begin(), id.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    });
}

}
