#include "worker/consume/topics.hpp"

#include "common/kafka/client_errors.hpp"

#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <array>
#include <memory>
#include <stdexcept>

namespace clerk_strapi::worker
{

namespace
{

constexpr int timeout_ms = 10'000;

constexpr int describe_timeout_ms = 3'000;
constexpr std::chrono::seconds reason_patience{5};

template <class T>
using owned = std::unique_ptr<T, void (*)(T*)>;

std::string setting_of(rd_kafka_ConfigResource_t const& resource, std::string_view wanted)
{
    std::size_t count = 0;
    auto const* const* const entries = rd_kafka_ConfigResource_configs(&resource, &count);
    for (std::size_t i = 0; i < count; ++i) {
        auto const* const value = rd_kafka_ConfigEntry_value(entries[i]);
        if (rd_kafka_ConfigEntry_name(entries[i]) == wanted) return value == nullptr ? "" : value;
    }
    return {};
}

}

struct kafka_topics::handle
{
    kafka::client_errors errors;
    rd_kafka_t* client{nullptr};

    explicit handle(kafka::client_settings const& settings)
        : errors{settings}
    {
    }
};

kafka_topics::kafka_topics(kafka::client_settings const& client)
    : handle_(std::make_unique<handle>(client))
{
    kafka::client_config config{client};
    config.apply_extra();
    handle_->errors.attach(config.get());
    std::array<char, 512> why{};
    handle_->client = rd_kafka_new(RD_KAFKA_PRODUCER, config.get(), why.data(), why.size());
    if (handle_->client == nullptr) throw std::runtime_error{"Kafka: " + std::string{why.data()}};
    static_cast<void>(config.release());
}

kafka_topics::~kafka_topics() { rd_kafka_destroy(handle_->client); }

topics_report kafka_topics::look(std::vector<std::string> const& names) const
{
    topics_report report;
    struct rd_kafka_metadata const* metadata = nullptr;
    auto const error = rd_kafka_metadata(handle_->client, 1, nullptr, &metadata, timeout_ms);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
        report.fault = handle_->errors.explain(handle_->client, error, reason_patience);
        return report;
    }
    for (auto const& name : names) {
        topic_state state;
        state.name = name;
        auto const* const begin = metadata->topics;
        auto const* const end = begin + metadata->topic_cnt;
        auto const* const found =
            std::find_if(begin, end, [&](rd_kafka_metadata_topic const& topic) { return topic.topic == name; });
        if (found != end && found->partition_cnt > 0) {
            state.partitions = found->partition_cnt;
            state.replication = found->partitions[0].replica_cnt;
        }
        report.topics.push_back(state);
    }
    rd_kafka_metadata_destroy(metadata);
    describe(report.topics);
    return report;
}

// One request for all topics. The mock cluster of dev-broker does not support it; then the policies stay unknown.
void kafka_topics::describe(std::vector<topic_state>& topics) const
{
    std::vector<rd_kafka_ConfigResource_t*> wanted;
    for (auto const& topic : topics) {
        if (topic.partitions > 0)
            wanted.push_back(rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.name.c_str()));
    }
    if (wanted.empty()) return;
    owned<rd_kafka_queue_t> const queue{rd_kafka_queue_new(handle_->client), &rd_kafka_queue_destroy};
    rd_kafka_DescribeConfigs(handle_->client, wanted.data(), wanted.size(), nullptr, queue.get());
    owned<rd_kafka_event_t> const event{rd_kafka_queue_poll(queue.get(), describe_timeout_ms), &rd_kafka_event_destroy};
    rd_kafka_ConfigResource_destroy_array(wanted.data(), wanted.size());
    if (!event || rd_kafka_event_error(event.get()) != RD_KAFKA_RESP_ERR_NO_ERROR) return;
    std::size_t count = 0;
    auto* const* const found =
        rd_kafka_DescribeConfigs_result_resources(rd_kafka_event_DescribeConfigs_result(event.get()), &count);
    for (std::size_t i = 0; i < count; ++i) {
        std::string_view const name = rd_kafka_ConfigResource_name(found[i]);
        auto const topic =
            std::find_if(topics.begin(), topics.end(), [&](auto const& one) { return one.name == name; });
        if (topic == topics.end()) continue;
        topic->cleanup_policy = setting_of(*found[i], "cleanup.policy");
        topic->min_insync = setting_of(*found[i], "min.insync.replicas");
    }
}

topic_creation kafka_topics::create(wanted_topic const& topic, int partitions, int replication) const
{
    std::array<char, 512> why{};
    auto* topic_spec = rd_kafka_NewTopic_new(topic.name.c_str(), partitions, replication, why.data(), why.size());
    if (topic_spec == nullptr) return {false, why.data()};
    owned<rd_kafka_NewTopic_t> const owner{topic_spec, &rd_kafka_NewTopic_destroy};
    auto const retention = std::to_string(std::chrono::milliseconds{topic.retention}.count());
    auto const min_insync = std::to_string(std::max(1, replication - 1));
    rd_kafka_NewTopic_set_config(topic_spec, "cleanup.policy", "delete");
    rd_kafka_NewTopic_set_config(topic_spec, "retention.ms", retention.c_str());
    rd_kafka_NewTopic_set_config(topic_spec, "min.insync.replicas", min_insync.c_str());
    owned<rd_kafka_queue_t> const queue{rd_kafka_queue_new(handle_->client), &rd_kafka_queue_destroy};
    rd_kafka_CreateTopics(handle_->client, &topic_spec, 1, nullptr, queue.get());
    owned<rd_kafka_event_t> const event{rd_kafka_queue_poll(queue.get(), timeout_ms), &rd_kafka_event_destroy};
    if (!event) return {false, "no response within 10 s"};
    if (rd_kafka_event_error(event.get()) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return {false, rd_kafka_event_error_string(event.get())};
    std::size_t count = 0;
    auto const* const* const results =
        rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event.get()), &count);
    if (count != 1) return {};
    auto const error = rd_kafka_topic_result_error(results[0]);
    if (error == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) return {true, {}};
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return {};
    auto const* const text = rd_kafka_topic_result_error_string(results[0]);
    return {false, text != nullptr ? text : rd_kafka_err2str(error)};
}

// A partition without a commit counts whole: no worker has read it yet.
std::optional<std::int64_t> kafka_topics::uncommitted(
    kafka::client_settings const& client, std::string const& group, std::string const& topic, int partitions)
{
    kafka::client_config config{client};
    config.apply_extra();
    config.set("group.id", group);
    std::array<char, 512> why{};
    owned<rd_kafka_t> const consumer{
        rd_kafka_new(RD_KAFKA_CONSUMER, config.get(), why.data(), why.size()), &rd_kafka_destroy};
    if (!consumer) throw std::runtime_error{"Kafka: " + std::string{why.data()}};
    static_cast<void>(config.release());
    owned<rd_kafka_topic_partition_list_t> const list{
        rd_kafka_topic_partition_list_new(partitions), &rd_kafka_topic_partition_list_destroy};
    rd_kafka_topic_partition_list_add_range(list.get(), topic.c_str(), 0, partitions - 1);
    if (rd_kafka_committed(consumer.get(), list.get(), timeout_ms) != RD_KAFKA_RESP_ERR_NO_ERROR) return std::nullopt;
    std::int64_t records = 0;
    for (auto const* one = list->elems; one != list->elems + list->cnt; ++one) {
        std::int64_t low = 0;
        std::int64_t high = 0;
        auto const error =
            rd_kafka_query_watermark_offsets(consumer.get(), topic.c_str(), one->partition, &low, &high, timeout_ms);
        if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return std::nullopt;
        records += std::max<std::int64_t>(0, high - std::max(low, one->offset));
    }
    return records;
}

}
