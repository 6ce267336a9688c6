#include "worker/decide/field_map.hpp"

#include "common/event/utf8.hpp"
#include "worker/decide/profile_name.hpp"

#include <algorithm>

namespace clerk_strapi::worker
{

namespace
{

std::string lower_cased(std::string text)
{
    std::transform(text.begin(), text.end(), text.begin(),
        [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return text;
}

}

std::string_view cut_to_characters(std::string_view text, std::size_t characters_max)
{
    if (text.size() <= characters_max) return text;
    std::size_t characters = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (!continues_utf8(text[i]) && characters++ == characters_max) return text.substr(0, i);
    }
    return text;
}

std::string placeholder_email(std::string_view clerk_id, std::string_view domain)
{
    return lower_cased(std::string{clerk_id} + "@" + std::string{domain});
}

std::string placeholder_username(std::string_view clerk_id, std::string_view desired)
{
    constexpr std::size_t suffix_size = 6;
    auto const suffix = clerk_id.substr(clerk_id.size() - std::min(suffix_size, clerk_id.size()));
    return std::string{cut_to_characters(desired, column_characters_max - 1 - suffix_size)} + "-" + std::string{suffix};
}

std::string profile_name(std::string_view clerk_id, desired_values const& desired)
{
    if (!desired.full_name) return generated_profile_name(clerk_id);
    return std::string{cut_to_characters(*desired.full_name, column_characters_max)};
}

strapi_values map_to_strapi(
    std::string_view clerk_id, desired_values const& desired, std::string_view placeholder_domain)
{
    strapi_values values;
    auto const cut = [&](std::string const& text, mapped_field field) {
        auto const fitting = cut_to_characters(text, column_characters_max);
        if (fitting.size() != text.size()) values.truncated.push_back(field);
        return std::string{fitting};
    };
    values.email =
        desired.email ? cut(*desired.email, mapped_field::email) : placeholder_email(clerk_id, placeholder_domain);
    if (desired.username) {
        values.username = cut(*desired.username, mapped_field::username);
    } else {
        values.username = desired.email ? values.email : std::string{clerk_id};
    }
    if (desired.full_name) values.full_name = cut(*desired.full_name, mapped_field::full_name);
    return values;
}

}
