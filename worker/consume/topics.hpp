#pragma once

// The topics: which exist, which are missing, and whether their settings fit. Blocking; for commands.

#include "common/kafka/client_config.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace clerk_strapi::worker
{

struct wanted_topic
{
    std::string name;
    std::chrono::hours retention{};
};

struct topic_state
{
    std::string name;
    int partitions{0}; // 0: the topic does not exist
    int replication{0};
    std::string cleanup_policy; // empty: unknown
    std::string min_insync;
};

struct topics_report
{
    std::string fault; // empty if the brokers responded
    std::vector<topic_state> topics;
};

struct topic_creation
{
    bool existed{false}; // another command created it since look()
    std::string fault; // why there is no such topic; else empty
};

class kafka_topics
{
public:
    explicit kafka_topics(kafka::client_settings const& client);
    ~kafka_topics();
    kafka_topics(kafka_topics const&) = delete;
    kafka_topics& operator=(kafka_topics const&) = delete;

    [[nodiscard]] topics_report look(std::vector<std::string> const& names) const;
    // The fault, or empty. min.insync.replicas is one less than the replication, at least 1.
    [[nodiscard]] topic_creation create(wanted_topic const& topic, int partitions, int replication) const;

    // Records of the topic that the group has not committed; nullopt: the brokers do not respond.
    [[nodiscard]] static std::optional<std::int64_t> uncommitted(
        kafka::client_settings const& client, std::string const& group, std::string const& topic, int partitions);

private:
    void describe(std::vector<topic_state>& topics) const;

    struct handle;
    std::unique_ptr<handle> handle_;
};

}
