#include "common/kafka/probe.hpp"

#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <array>
#include <stdexcept>

namespace clerk_strapi::kafka
{
namespace
{

topic_finding describe(rd_kafka_metadata_topic_t const& topic)
{
    topic_finding found{topic.topic, topic.partition_cnt, {}};
    if (topic.err != RD_KAFKA_RESP_ERR_NO_ERROR)
        found.fault = rd_kafka_err2str(topic.err);
    else if (topic.partition_cnt == 0)
        found.fault = "has no partitions";
    for (int i = 0; i < topic.partition_cnt && found.fault.empty(); ++i) {
        if (topic.partitions[i].leader < 0)
            found.fault = "partition " + std::to_string(topic.partitions[i].id) + " has no leader";
    }
    return found;
}

topic_finding find_topic(rd_kafka_metadata_t const& metadata, std::string const& name)
{
    for (int i = 0; i < metadata.topic_cnt; ++i) {
        if (name == metadata.topics[i].topic) return describe(metadata.topics[i]);
    }
    return {name, 0, "not found, or no permission to describe it"};
}

}

topic_prober::topic_prober(client_settings const& settings)
    : errors_{settings}
{
    client_config config{settings};
    config.apply_extra();
    errors_.attach(config.get());
    std::array<char, 512> why{};
    handle_ = rd_kafka_new(RD_KAFKA_PRODUCER, config.get(), why.data(), why.size());
    if (handle_ == nullptr) throw std::runtime_error{"cannot create a Kafka client: " + std::string{why.data()}};
    static_cast<void>(config.release());
}

topic_prober::~topic_prober() { rd_kafka_destroy(handle_); }

findings topic_prober::query(
    std::span<std::string const> topics, std::chrono::milliseconds time, std::chrono::milliseconds patience)
{
    findings all;
    rd_kafka_metadata_t const* metadata = nullptr;
    // Requests all topics, because a request by name can create a topic where the brokers allow that.
    auto const fault = rd_kafka_metadata(handle_, 1, nullptr, &metadata, static_cast<int>(time.count()));
    if (fault != RD_KAFKA_RESP_ERR_NO_ERROR) {
        all.fault = errors_.explain(handle_, fault, patience);
        all.timed_out = fault == RD_KAFKA_RESP_ERR__TIMED_OUT;
        return all;
    }
    rd_kafka_poll(handle_, 0); // errors from before this answer explain nothing
    errors_.clear();
    all.brokers = metadata->broker_cnt;
    for (auto const& name : topics)
        all.topics.push_back(find_topic(*metadata, name));
    rd_kafka_metadata_destroy(metadata);
    return all;
}

bool findings::good() const
{
    return fault.empty()
        && std::all_of(topics.begin(), topics.end(), [](auto const& each) { return each.fault.empty(); });
}

bool findings::all_topics_exist() const
{
    return answered()
        && std::all_of(topics.begin(), topics.end(), [](auto const& each) { return each.partitions > 0; });
}

std::string findings::missing_topics() const
{
    std::string names;
    for (auto const& each : topics) {
        if (each.partitions == 0) names += (names.empty() ? "" : ", ") + each.name;
    }
    return names;
}

findings probe(client_settings const& settings, std::span<std::string const> topics, std::chrono::milliseconds time)
{
    return topic_prober{settings}.query(topics, time, time);
}

}
