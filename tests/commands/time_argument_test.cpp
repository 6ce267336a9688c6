#include "worker/commands/time_argument.hpp"

#include <doctest/doctest.h>

namespace clerk_strapi::worker::commands
{

constexpr std::int64_t now_ms = 1'800'000'000'000; // 2027-01-15T08:00:00Z

TEST_CASE("a time is a date, a moment in UTC, or how long ago")
{
    CHECK(parse_time_argument("2027-01-15", now_ms) == now_ms - 8 * 3'600'000);
    CHECK(parse_time_argument("2027-01-15T08:00:00Z", now_ms) == now_ms);
    CHECK(parse_time_argument("2027-01-15T08:00:01.999Z", now_ms) == now_ms + 1000);
    CHECK(parse_time_argument("90m", now_ms) == now_ms - 90 * 60'000);
    CHECK(parse_time_argument("24h", now_ms) == now_ms - 24 * 3'600'000);
    CHECK(parse_time_argument("7d", now_ms) == now_ms - 7 * 86'400'000LL);
    CHECK(parse_time_argument("0s", now_ms) == now_ms);
}

TEST_CASE("what is no time is refused, never guessed")
{
    for (auto const* const text : {"", "d", "7", "7w", "-7d", "7 d", "99999999d", "yesterday", "2027-13-01",
             "2027-02-30", "2027-1-1", "2027/01/15", "2027-01-15T08:00:00", "2027-01-15T08:00:00+01:00",
             "2027-01-15T24:00:00Z", "2027-01-15T08:00:00.Z", "2027-01-15 08:00:00Z", "2027-01-15T", "20270115"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_time_argument(text, now_ms));
    }
}

}
