#pragma once

// The time in milliseconds since 1970, as events have it, and as text.

#include "common/event/time_text.hpp"

#include <chrono>
#include <cstdint>
#include <string>

namespace clerk_strapi::worker
{

[[nodiscard]] inline std::int64_t now_ms()
{
    return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

[[nodiscard]] inline std::string time_text(std::int64_t time_ms)
{
    return rfc3339(std::chrono::sys_time<std::chrono::milliseconds>{std::chrono::milliseconds{time_ms}});
}

}
