#include "common/kafka/probe.hpp"

#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <array>
#include <stdexcept>

namespace clerk_strapi::kafka
{
namespace
{

topic_finding judge(rd_kafka_metadata_topic_t const& told)
{
    topic_finding found{told.topic, told.partition_cnt, {}};
    if (told.err != RD_KAFKA_RESP_ERR_NO_ERROR)
        found.fault = rd_kafka_err2str(told.err);
    else if (told.partition_cnt == 0)
        found.fault = "has no partitions";
    for (int i = 0; i < told.partition_cnt && found.fault.empty(); ++i) {
        if (told.partitions[i].leader < 0)
            found.fault = "partition " + std::to_string(told.partitions[i].id) + " has no leader";
    }
    return found;
}

topic_finding find_topic(rd_kafka_metadata_t const& told, std::string const& name)
{
    for (int i = 0; i < told.topic_cnt; ++i) {
        if (name == told.topics[i].topic) return judge(told.topics[i]);
    }
    return {name, 0, "not found, or no right to describe it"};
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
    if (handle_ == nullptr) throw std::runtime_error{"Kafka client: " + std::string{why.data()}};
    static_cast<void>(config.release());
}

topic_prober::~topic_prober() { rd_kafka_destroy(handle_); }

findings topic_prober::look(
    std::span<std::string const> topics, std::chrono::milliseconds time, std::chrono::milliseconds patience)
{
    findings all;
    rd_kafka_metadata_t const* told = nullptr;
    // All topics, not ours by name: asking by name can create a topic on brokers that allow it.
    auto const fault = rd_kafka_metadata(handle_, 1, nullptr, &told, static_cast<int>(time.count()));
    if (fault != RD_KAFKA_RESP_ERR_NO_ERROR) {
        all.fault = errors_.explain(handle_, fault, patience);
        all.timed_out = fault == RD_KAFKA_RESP_ERR__TIMED_OUT;
        return all;
    }
    rd_kafka_poll(handle_, 0); // errors that came before this answer explain nothing any more
    errors_.clear();
    all.brokers = told->broker_cnt;
    for (auto const& name : topics)
        all.topics.push_back(find_topic(*told, name));
    rd_kafka_metadata_destroy(told);
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
    return topic_prober{settings}.look(topics, time, time);
}

}
