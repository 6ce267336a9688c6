#pragma once

// SHA-256 of a text, for an event's version and for ids derived from Clerk's.

#include <array>
#include <string_view>

namespace clerk_strapi
{

using sha256_digest = std::array<unsigned char, 32>;

[[nodiscard]] sha256_digest sha256(std::string_view text);

}
