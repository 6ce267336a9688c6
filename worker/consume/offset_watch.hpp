#pragma once

// Detects that a partition does not continue at its stored position (D11). Pure, one per consumer. A gap between two
// offsets alone is no loss, because transaction markers use offsets too. It is a loss if the partition now begins after
// the gap. The beginning is known with a delay, so a gap is checked several times before it counts as harmless.

#include <cstdint>
#include <map>
#include <optional>
#include <string_view>

namespace clerk_strapi::worker
{

enum class offset_gap {
    truncated, // the partition begins after the position: retention removed events that were not applied
    rewound, // a record before the position arrived: the topic was recreated, or Kafka restored from a backup
};
[[nodiscard]] std::string_view to_string(offset_gap kind);

class offset_watch
{
public:
    // Reading starts here. nullopt: no stored position, so nothing can be lost.
    void starts(std::int32_t partition, std::optional<std::int64_t> position);
    // A record was read.
    [[nodiscard]] std::optional<offset_gap> read(std::int32_t partition, std::int64_t offset);
    // Where the partition begins now. Returns each gap once.
    [[nodiscard]] std::optional<offset_gap> begins(std::int32_t partition, std::int64_t first);

private:
    struct progress
    {
        std::int64_t next{0}; // after the last record that was read
        std::int64_t whole_until{0}; // no offset before it was skipped
        bool known{false}; // a position exists, so events can be lost
        int checks{0}; // of a gap
    };
    std::map<std::int32_t, progress> partitions_;
};

}
