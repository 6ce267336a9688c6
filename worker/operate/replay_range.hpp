#pragma once

// A place in the log as people name it: `replay --from` and `--to`. Pure.

#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <variant>

namespace clerk_strapi::worker
{

struct log_edge // the beginning or the end, whichever is asked about
{
};
struct log_time
{
    std::int64_t time_ms{0};
};
struct log_offset // the same one in every partition
{
    std::int64_t offset{0};
};
struct log_offsets // partitions that are not named are not meant
{
    std::map<std::int32_t, std::int64_t> by_partition;
};
using log_point = std::variant<log_edge, log_time, log_offset, log_offsets>;

// `beginning`, `end`, what parse_given_time() takes, `12345`, or `3:12345,4:0`.
[[nodiscard]] std::optional<log_point> parse_log_point(std::string_view text, std::int64_t now_ms);

}
