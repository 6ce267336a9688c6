#include "worker/operate/replay_range.hpp"

#include "worker/operate/given_time.hpp"

#include <charconv>
#include <limits>

namespace clerk_strapi::worker
{

namespace
{

std::optional<std::int64_t> parse_number(std::string_view text)
{
    std::int64_t number = 0;
    auto const [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (fault != std::errc{} || end != text.data() + text.size() || number < 0) return std::nullopt;
    return number;
}

std::optional<replay_point> parse_offsets(std::string_view text)
{
    partition_offsets found;
    while (!text.empty()) {
        auto const item = text.substr(0, text.find(','));
        text.remove_prefix(item.size() < text.size() ? item.size() + 1 : item.size());
        auto const colon = item.find(':');
        if (colon == std::string_view::npos) return std::nullopt;
        auto const partition = parse_number(item.substr(0, colon));
        auto const offset = parse_number(item.substr(colon + 1));
        if (!partition || !offset || *partition > std::numeric_limits<std::int32_t>::max()) return std::nullopt;
        found.by_partition[static_cast<std::int32_t>(*partition)] = *offset;
    }
    if (found.by_partition.empty()) return std::nullopt;
    return found;
}

}

std::optional<replay_point> parse_replay_point(std::string_view text, std::int64_t now_ms)
{
    if (text == "beginning" || text == "end") return topic_edge{};
    if (auto const offset = parse_number(text)) return same_offset{*offset};
    if (auto const time = parse_given_time(text, now_ms)) return point_in_time{*time};
    return parse_offsets(text);
}

}
