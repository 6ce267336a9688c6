#pragma once

// RFC 4648 without padding: any character outside the alphabet makes the whole text invalid. Pure.

#include <optional>
#include <string>
#include <string_view>

namespace clerk_strapi
{

// The last character can hold bits that belong to no byte. When they must be zero, every string of bytes has exactly
// one text.
enum class spare_bits { zero, any };

// The standard alphabet, with + and /. The caller removes the padding.
[[nodiscard]] std::optional<std::string> decode_base64(std::string_view text, spare_bits spare = spare_bits::zero);

// The alphabet for URLs, with - and _. Spare bits must be zero, so that a token has one spelling only.
[[nodiscard]] std::optional<std::string> decode_base64url(std::string_view text);

}
