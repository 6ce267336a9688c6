#pragma once

// A page of Clerk's users, as `GET /v1/users` answers it, split into its users byte for byte: what is published is what
// Clerk sent, not what we made of it. Pure; views of the page, no document is built.

#include "common/event/json_reader.hpp"
#include "common/event/result.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace clerk_strapi::worker
{

struct listed_user
{
    std::string_view raw; // a view of the page
    std::string clerk_id;
    std::int64_t updated_at_ms{0}; // 0: Clerk sent none
};

struct user_page
{
    std::vector<listed_user> users;
    std::size_t unusable{0}; // elements that are no user, or have no id that one could have
};

// The whole page is refused when it is not one JSON array: half a page would be taken for all of it.
[[nodiscard]] result<user_page, json_fault> split_page(std::string_view body);
// The answer of `GET /v1/users/{id}`; nothing when it is no user.
[[nodiscard]] std::optional<listed_user> read_listed_user(std::string_view raw);

// One member of an object: the id of `GET /v1/instance`, the total_count of `GET /v1/users/count`.
[[nodiscard]] std::optional<std::string> text_member(std::string_view body, std::string_view name);
[[nodiscard]] std::optional<std::int64_t> integer_member(std::string_view body, std::string_view name);

}
