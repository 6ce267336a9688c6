// Times and offsets as given on the command line.

#include "worker/operate/given_time.hpp"
#include "worker/operate/replay_range.hpp"

#include <doctest/doctest.h>

using namespace clerk_strapi::worker;

namespace
{

constexpr std::int64_t now_ms = 1'763'872'200'000; // 2025-11-23T04:30:00Z

}

TEST_CASE("given time: accepts every form that --help names, and nothing else")
{
    struct
    {
        char const* text;
        std::optional<std::int64_t> time_ms;
    } const rows[] = {
        {"2025-11-23T04:30:00Z", now_ms},
        {"2025-11-23t04:30:00.250z", now_ms + 250},
        {"2025-11-23 04:30:00.1234567Z", now_ms + 123},
        {"2025-11-23T05:30:00+01:00", now_ms},
        {"2025-11-22T23:00:00-05:30", now_ms},
        {"2025-11-23", now_ms - 16'200'000},
        {"90s", now_ms - 90'000},
        {"15m", now_ms - 900'000},
        {"2h", now_ms - 7'200'000},
        {"3d", now_ms - 259'200'000},
        {"1w", now_ms - 604'800'000},
        {"", std::nullopt},
        {"yesterday", std::nullopt},
        {"2 h", std::nullopt},
        {"2y", std::nullopt},
        {"-2h", std::nullopt},
        {"9999999999h", std::nullopt},
        {"99999999999999999999h", std::nullopt},
        {"2025-11-23T04:30:00", std::nullopt}, // which zone?
        {"2025-11-23T04:30Z", std::nullopt},
        {"2025-11-23T24:00:00Z", std::nullopt},
        {"2025-02-30", std::nullopt},
        {"2025-13-01T00:00:00Z", std::nullopt},
        {"2025-11-23T04:30:00.Z", std::nullopt},
        {"2025-11-23T04:30:00Z ", std::nullopt},
        {"25-11-23", std::nullopt},
        {"2025-1-1", std::nullopt},
        {"2025/11/23", std::nullopt},
        {"20251123", std::nullopt},
        {"2025-11-23T", std::nullopt},
        {"d", std::nullopt},
        {"7", std::nullopt},
    };
    for (auto const& row : rows) {
        CAPTURE(row.text);
        CHECK(parse_given_time(row.text, now_ms) == row.time_ms);
    }
}

TEST_CASE("replay point: the beginning, the end, a time, an offset, or offsets of named partitions")
{
    auto const point = [](char const* text) { return parse_replay_point(text, now_ms); };
    CHECK(std::holds_alternative<topic_edge>(point("beginning").value()));
    CHECK(std::holds_alternative<topic_edge>(point("end").value()));
    CHECK(std::get<point_in_time>(point("2h").value()).time_ms == now_ms - 7'200'000);
    CHECK(std::get<same_offset>(point("12345").value()).offset == 12'345);
    CHECK(std::get<same_offset>(point("0").value()).offset == 0);
    auto const named = std::get<partition_offsets>(point("3:12345,11:0").value()).by_partition;
    CHECK(named == std::map<std::int32_t, std::int64_t>{{3, 12'345}, {11, 0}});
    for (auto const* const text : {"", "start", "-1", "3:", ":3", "3:-1", "3:1;4:2", "3:1,x", "3.5", "99999999999:1"}) {
        CAPTURE(text);
        CHECK_FALSE(point(text).has_value());
    }
}
