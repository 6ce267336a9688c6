#pragma once

// From a Clerk user's fields to the values of Strapi's columns. Pure.

#include "common/event/user_event.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace clerk_strapi::worker
{

// Strapi's string columns are varchar(255): characters, not bytes.
inline constexpr std::size_t column_characters_max = 255;

struct strapi_values
{
    std::string email;
    std::string username;
    std::optional<std::string> full_name;
    std::vector<mapped_field> truncated; // cut to the length of the column
};

// The desired values: the e-mail, else the placeholder; the username, else the e-mail, else the id; the full name.
[[nodiscard]] strapi_values map_to_strapi(
    std::string_view clerk_id, desired_values const& desired, std::string_view placeholder_domain);

// The first fallbacks (rule C5).
[[nodiscard]] std::string placeholder_email(std::string_view clerk_id, std::string_view domain);
[[nodiscard]] std::string placeholder_username(std::string_view clerk_id, std::string_view desired);

[[nodiscard]] std::string profile_name(std::string_view clerk_id, desired_values const& desired);

// Cuts valid UTF-8 to at most `characters_max` code points.
[[nodiscard]] std::string_view cut_to_characters(std::string_view text, std::size_t characters_max);

}
