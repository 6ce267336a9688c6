#pragma once

// base64url (RFC 4648), canonical only: no padding, no other characters, zero spare bits. So every byte string has
// exactly one encoding, and a token cannot be written in two ways.

#include <optional>
#include <string>
#include <string_view>

namespace clerk_strapi::ingest
{

[[nodiscard]] std::optional<std::string> decode_base64url(std::string_view text);

}
