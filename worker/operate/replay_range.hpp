#pragma once

// Where a replay starts or stops, as the options --from and --to name it. Pure.

#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <variant>

namespace clerk_strapi::worker
{

struct topic_edge // the beginning for --from, the end for --to
{
};
struct point_in_time
{
    std::int64_t time_ms{0};
};
struct same_offset // in every partition
{
    std::int64_t offset{0};
};
struct partition_offsets // other partitions are not read
{
    std::map<std::int32_t, std::int64_t> by_partition;
};
using replay_point = std::variant<topic_edge, point_in_time, same_offset, partition_offsets>;

// `beginning`, `end`, a form of parse_given_time(), `12345`, or `3:12345,4:0`.
[[nodiscard]] std::optional<replay_point> parse_replay_point(std::string_view text, std::int64_t now_ms);

}
