#pragma once

// Splits a page of `GET /v1/users` into its users byte for byte, so that the published records hold exactly what Clerk
// sent. Pure; the users are views of the page, no document is built.

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
    std::size_t unusable{0}; // elements without a valid user id
};

// Fails for a page that is not one complete JSON array: half a page would look like all users.
[[nodiscard]] result<user_page, json_fault> split_page(std::string_view body);
// The body of `GET /v1/users/{id}`; nothing when it is not a user.
[[nodiscard]] std::optional<listed_user> read_listed_user(std::string_view raw);

// One member of an object: the id of `GET /v1/instance`, the total_count of `GET /v1/users/count`.
[[nodiscard]] std::optional<std::string> text_member(std::string_view body, std::string_view name);
[[nodiscard]] std::optional<std::int64_t> integer_member(std::string_view body, std::string_view name);

}
