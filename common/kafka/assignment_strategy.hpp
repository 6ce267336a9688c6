#pragma once

// KAFKA_PARTITION_ASSIGNMENT_STRATEGY: how the members of a consumer group share its partitions. range and roundrobin
// are eager: every rebalance stops every member. cooperative-sticky stops only the partitions that move. The brokers
// reject a member that has no strategy in common with the group, so all workers stop before a change.

#include <optional>
#include <string>
#include <string_view>

namespace clerk_strapi::kafka
{

inline constexpr char const* strategy_property = "partition.assignment.strategy";
inline constexpr char const* default_strategy = "range";

// What is wrong with the value, and the fix, as the rest of a sentence that begins with the variable's name.
// `librdkafka` is a version as rd_kafka_version() returns it: before 2.6.1 cooperative-sticky can loop at 100 % CPU
// (#4800).
[[nodiscard]] std::optional<std::string> strategy_fault(std::string_view strategy, int librdkafka);
// The same for the loaded library.
[[nodiscard]] std::optional<std::string> strategy_fault(std::string_view strategy);

}
