#pragma once

// A point in time as a person types it: 2026-11-23, 2026-11-23T04:05:06Z, or how long ago: 90m, 24h, 7d.

#include <cstdint>
#include <optional>
#include <string_view>

namespace clerk_strapi::worker::commands
{

[[nodiscard]] std::optional<std::int64_t> parse_time_argument(std::string_view text, std::int64_t now_ms);

}
