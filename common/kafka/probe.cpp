#include "common/kafka/probe.hpp"

#include "common/kafka/client_errors.hpp"

#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <array>
#include <memory>
#include <stdexcept>

namespace clerk_strapi::kafka
{
namespace
{

using client = std::unique_ptr<rd_kafka_t, decltype(&rd_kafka_destroy)>;

client make_client(client_settings const& settings, client_errors& errors)
{
    client_config config{settings};
    config.apply_extra();
    errors.attach(config.get());
    std::array<char, 512> why{};
    auto* const made = rd_kafka_new(RD_KAFKA_PRODUCER, config.get(), why.data(), why.size());
    if (made == nullptr) throw std::runtime_error{"Kafka client: " + std::string{why.data()}};
    static_cast<void>(config.release());
    return {made, &rd_kafka_destroy};
}

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
    return {name, 0, "does not exist, or we may not describe it"};
}

}

bool findings::good() const
{
    return fault.empty()
        && std::all_of(topics.begin(), topics.end(), [](auto const& each) { return each.fault.empty(); });
}

findings probe(client_settings const& settings, std::span<std::string const> topics, std::chrono::milliseconds time)
{
    client_errors errors{settings};
    auto const handle = make_client(settings, errors);
    findings all;
    rd_kafka_metadata_t const* told = nullptr;
    // All topics, not ours by name: asking by name can create a topic on brokers that allow it.
    auto const fault = rd_kafka_metadata(handle.get(), 1, nullptr, &told, static_cast<int>(time.count()));
    if (fault != RD_KAFKA_RESP_ERR_NO_ERROR) {
        all.fault = errors.explain(handle.get(), fault);
        return all;
    }
    all.brokers = told->broker_cnt;
    for (auto const& name : topics)
        all.topics.push_back(find_topic(*told, name));
    rd_kafka_metadata_destroy(told);
    return all;
}

}
