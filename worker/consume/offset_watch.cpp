#include "worker/consume/offset_watch.hpp"

#include <algorithm>

namespace clerk_strapi::worker
{

namespace
{

constexpr int gap_checks_max = 5; // one per second; librdkafka requests the beginning twice per second

}

std::string_view to_string(offset_gap kind)
{
    switch (kind) {
    case offset_gap::truncated: return "truncated";
    case offset_gap::rewound: return "rewound";
    }
    return "truncated";
}

void offset_watch::starts(std::int32_t partition, std::optional<std::int64_t> position)
{
    auto const next = position.value_or(0);
    partitions_[partition] = {next, next, position.has_value(), 0};
}

std::optional<offset_gap> offset_watch::read(std::int32_t partition, std::int64_t offset)
{
    auto& one = partitions_[partition];
    auto const rewound = one.known && offset < one.next;
    if (!one.known || rewound || offset == one.whole_until) one.whole_until = offset + 1;
    one.next = offset + 1;
    one.known = true;
    return rewound ? std::optional{offset_gap::rewound} : std::nullopt;
}

std::optional<offset_gap> offset_watch::begins(std::int32_t partition, std::int64_t first)
{
    auto const found = partitions_.find(partition);
    if (found == partitions_.end() || !found->second.known) return std::nullopt;
    auto& one = found->second;
    auto const truncated = first > one.whole_until;
    one.checks = one.whole_until < one.next && !truncated ? one.checks + 1 : 0;
    if (truncated || one.checks == gap_checks_max) {
        one.whole_until = std::max(one.next, first);
        one.checks = 0;
    }
    return truncated ? std::optional{offset_gap::truncated} : std::nullopt;
}

}
