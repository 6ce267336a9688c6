#include "worker/consume/offset_watch.hpp"

#include <algorithm>

namespace clerk_strapi::worker
{

namespace
{

constexpr int looks_at_a_gap = 5; // one a second; librdkafka asks for the beginning of the log twice a second

}

std::string_view to_string(log_break kind)
{
    switch (kind) {
    case log_break::truncated: return "truncated";
    case log_break::rewound: return "rewound";
    }
    return "truncated";
}

void log_watch::starts(std::int32_t partition, std::optional<std::int64_t> position)
{
    auto const next = position.value_or(0);
    places_[partition] = {next, next, position.has_value(), 0};
}

std::optional<log_break> log_watch::read(std::int32_t partition, std::int64_t offset)
{
    auto& one = places_[partition];
    auto const rewound = one.known && offset < one.next;
    if (!one.known || rewound || offset == one.whole_until) one.whole_until = offset + 1;
    one.next = offset + 1;
    one.known = true;
    return rewound ? std::optional{log_break::rewound} : std::nullopt;
}

std::optional<log_break> log_watch::begins(std::int32_t partition, std::int64_t first)
{
    auto const found = places_.find(partition);
    if (found == places_.end() || !found->second.known) return std::nullopt;
    auto& one = found->second;
    auto const truncated = first > one.whole_until;
    one.looks = one.whole_until < one.next && !truncated ? one.looks + 1 : 0;
    if (truncated || one.looks == looks_at_a_gap) {
        one.whole_until = std::max(one.next, first);
        one.looks = 0;
    }
    return truncated ? std::optional{log_break::truncated} : std::nullopt;
}

}
