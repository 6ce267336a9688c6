#pragma once

// RFC 4648's alphabet for URLs, canonical only: no padding, no other characters, zero spare bits. So every string of
// bytes has exactly one text, and a token cannot be written in two ways.

#include <optional>
#include <string>
#include <string_view>

namespace clerk_strapi::ingest
{

[[nodiscard]] std::optional<std::string> decode_base64url(std::string_view text);

}
