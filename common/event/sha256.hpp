#pragma once

// SHA-256 of a text, for an event's version and for ids that are derived from Clerk's ids.

#include <array>
#include <string>
#include <string_view>

namespace clerk_strapi
{

using sha256_digest = std::array<unsigned char, 32>;

[[nodiscard]] sha256_digest sha256(std::string_view text);

// 64 lower-case digits. digest_from_hex() reads what hex_of() and PostgreSQL write; missing digits count as zeros.
[[nodiscard]] std::string hex_of(sha256_digest const& digest);
[[nodiscard]] sha256_digest digest_from_hex(std::string_view hex);

}
