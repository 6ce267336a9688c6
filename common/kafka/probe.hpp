#pragma once

// Queries the brokers which of our topics exist, for `check` and readiness. Creates nothing.

#include "common/kafka/client_config.hpp"
#include "common/kafka/client_errors.hpp"

#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <vector>

struct rd_kafka_s;

namespace clerk_strapi::kafka
{

struct topic_finding
{
    std::string name;
    int partitions{0}; // 0: no such topic, or no permission to describe it
    std::string fault; // empty when every partition has a leader
};

struct findings
{
    std::string fault; // why the brokers did not answer, as librdkafka reported it; empty: they answered
    bool timed_out{false}; // the query reached its time limit
    int brokers{0};
    std::vector<topic_finding> topics;
    [[nodiscard]] bool good() const;
    [[nodiscard]] bool answered() const { return fault.empty(); }
    // Weaker than good(): a partition may have no leader at the moment.
    [[nodiscard]] bool all_topics_exist() const;
    // The names of the missing topics, comma-separated.
    [[nodiscard]] std::string missing_topics() const;
};

// Keeps its connection between queries. One thread at a time.
class topic_prober
{
public:
    // Throws std::invalid_argument or std::runtime_error on bad settings.
    explicit topic_prober(client_settings const& settings);
    ~topic_prober();
    topic_prober(topic_prober const&) = delete;
    topic_prober& operator=(topic_prober const&) = delete;

    // Blocks for at most `time`, and for up to `patience` more until the reason of a failure is known.
    [[nodiscard]] findings query(
        std::span<std::string const> topics, std::chrono::milliseconds time, std::chrono::milliseconds patience = {});

private:
    client_errors errors_; // before the handle, whose callbacks use it
    rd_kafka_s* handle_{nullptr};
};

// One query on its own connection. Blocks for at most twice `time`; throws like topic_prober.
[[nodiscard]] findings probe(
    client_settings const& settings, std::span<std::string const> topics, std::chrono::milliseconds time);

}
