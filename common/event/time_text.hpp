#pragma once

// Times as in log lines, ce_time and dead letters.

#include <chrono>
#include <string>

namespace clerk_strapi
{

// RFC 3339, UTC, milliseconds: 2026-11-23T04:05:06.789Z.
// A time outside the years 0 to 9999 is clamped to them.
[[nodiscard]] std::string rfc3339(std::chrono::sys_time<std::chrono::milliseconds> time);
[[nodiscard]] inline std::string rfc3339(std::chrono::system_clock::time_point time)
{
    return rfc3339(std::chrono::floor<std::chrono::milliseconds>(time));
}

}
