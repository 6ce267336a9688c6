#pragma once

// Asks the brokers which of our topics exist, for `check`, readiness and the like. Creates nothing.

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
    int partitions{0}; // 0: the brokers do not know it, or will not tell us
    std::string fault; // empty when every partition has a leader
};

struct findings
{
    std::string fault; // why the brokers did not answer, as librdkafka reported it; else empty
    bool timed_out{false}; // no answer from a broker that is connected
    int brokers{0};
    std::vector<topic_finding> topics;
    [[nodiscard]] bool good() const;
    [[nodiscard]] bool answered() const { return fault.empty(); }
    // Weaker than good(): a partition may be without a leader for the moment.
    [[nodiscard]] bool all_topics_exist() const;
    // The names that do not exist, comma-separated.
    [[nodiscard]] std::string missing_topics() const;
};

// Keeps its connection from one question to the next. One thread at a time.
class topic_prober
{
public:
    // Throws std::invalid_argument or std::runtime_error on bad settings.
    explicit topic_prober(client_settings const& settings);
    ~topic_prober();
    topic_prober(topic_prober const&) = delete;
    topic_prober& operator=(topic_prober const&) = delete;

    // Blocks for at most `time`, and for `patience` more when the reason for a failure is not known by then.
    [[nodiscard]] findings look(
        std::span<std::string const> topics, std::chrono::milliseconds time, std::chrono::milliseconds patience = {});

private:
    client_errors errors_; // outlives the handle, whose callbacks report to it
    rd_kafka_s* handle_{nullptr};
};

// One question on a connection of its own. Blocks for at most twice `time`; throws as topic_prober does.
[[nodiscard]] findings probe(
    client_settings const& settings, std::span<std::string const> topics, std::chrono::milliseconds time);

}
