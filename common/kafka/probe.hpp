#pragma once

// One look at the brokers, for `check` and the like: are they there, and do they know our topics? Creates nothing.

#include "common/kafka/client_config.hpp"

#include <chrono>
#include <span>
#include <string>
#include <vector>

namespace clerk_strapi::kafka
{

struct topic_finding
{
    std::string name;
    int partitions{0}; // 0: the brokers do not know it, or will not tell us
    std::string fault; // empty when every partition has a leader
};

struct findings
{
    std::string fault; // why the brokers did not answer, as librdkafka reported it; else empty
    int brokers{0};
    std::vector<topic_finding> topics;
    [[nodiscard]] bool good() const;
};

// Blocks for at most `time`. Throws std::invalid_argument or std::runtime_error on bad settings.
[[nodiscard]] findings probe(
    client_settings const& settings, std::span<std::string const> topics, std::chrono::milliseconds time);

}
