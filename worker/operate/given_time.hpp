#pragma once

// Parses times given on the command line. Pure: the current time is an argument.

#include <cstdint>
#include <optional>
#include <string_view>

namespace clerk_strapi::worker
{

// RFC 3339 (2026-11-23T04:05:06Z, also with a fraction or another zone), a day (2026-11-23, its start in UTC), or how
// long ago: 90s, 15m, 2h, 3d, 1w. Returns milliseconds since 1970, or nothing for any other text.
[[nodiscard]] std::optional<std::int64_t> parse_given_time(std::string_view text, std::int64_t now_ms);

inline constexpr auto given_time_forms = "a time (2026-11-23T04:05:06Z), a day (2026-11-23) or how long ago (2h, 3d)";

}
