#pragma once

// Asks the brokers about consumer groups: how many members each has, and with which assignment strategy they share its
// partitions. Blocking; for commands.

#include "common/kafka/client_config.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace clerk_strapi::worker
{

struct group_state
{
    std::string name;
    std::size_t members{0};
    std::string strategy; // empty while the group is empty or rebalances
};

// Omits groups that the brokers do not describe; dev-broker describes none.
[[nodiscard]] std::vector<group_state> describe_groups(
    kafka::client_settings const& client, std::vector<std::string> const& names);

}
