#include "tests/support/mock_kafka.hpp"

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <array>
#include <cstdint>
#include <stdexcept>

namespace clerk_strapi::tests
{
namespace
{

constexpr int broker_count = 1;
constexpr int partition_count = 4;
constexpr int read_milliseconds_max = 10'000;

rd_kafka_t* make_client(rd_kafka_type_t type, std::vector<std::pair<std::string, std::string>> const& properties)
{
    auto* const conf = rd_kafka_conf_new();
    std::array<char, 256> why{};
    for (auto const& [name, value] : properties)
        rd_kafka_conf_set(conf, name.c_str(), value.c_str(), why.data(), why.size());
    auto* const made = rd_kafka_new(type, conf, why.data(), why.size());
    if (made == nullptr) throw std::runtime_error{why.data()};
    return made;
}

stored_record copy_of(rd_kafka_message_t const& message)
{
    stored_record copy;
    if (message.key != nullptr) copy.key.emplace(static_cast<char const*>(message.key), message.key_len);
    if (message.payload != nullptr) copy.value.assign(static_cast<char const*>(message.payload), message.len);
    rd_kafka_headers_t* headers = nullptr;
    if (rd_kafka_message_headers(&message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) return copy;
    char const* name = nullptr;
    void const* value = nullptr;
    std::size_t size = 0;
    for (std::size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR;
         ++i) {
        copy.headers.emplace(name, std::string{static_cast<char const*>(value), size});
    }
    return copy;
}

}

mock_kafka::mock_kafka()
    : host_{make_client(RD_KAFKA_PRODUCER, {{"log_level", "0"}})}
    , cluster_{rd_kafka_mock_cluster_new(host_, broker_count)}
{
    for (auto const* topic :
        {"clerk.user-events", "clerk.dead-letters", "clerk.user-provisioning", "clerk.user-snapshots"}) {
        rd_kafka_mock_topic_create(cluster_, topic, partition_count, 1);
    }
}

mock_kafka::~mock_kafka()
{
    rd_kafka_mock_cluster_destroy(cluster_);
    rd_kafka_destroy(host_);
}

std::string mock_kafka::brokers() const { return rd_kafka_mock_cluster_bootstraps(cluster_); }

void mock_kafka::go_down()
{
    for (int id = 1; id <= broker_count; ++id)
        rd_kafka_mock_broker_set_down(cluster_, id);
}

void mock_kafka::come_back()
{
    for (int id = 1; id <= broker_count; ++id)
        rd_kafka_mock_broker_set_up(cluster_, id);
}

void mock_kafka::slow_down(int milliseconds)
{
    for (int id = 1; id <= broker_count; ++id)
        rd_kafka_mock_broker_set_rtt(cluster_, id, milliseconds);
}

void mock_kafka::refuse_next_produces(int error_code, int count)
{
    std::vector<rd_kafka_resp_err_t> const errors(
        static_cast<std::size_t>(count), static_cast<rd_kafka_resp_err_t>(error_code));
    constexpr std::int16_t produce_request = 0;
    rd_kafka_mock_push_request_errors_array(cluster_, produce_request, errors.size(), errors.data());
}

std::vector<stored_record> mock_kafka::records(std::string const& topic) const
{
    auto* const reader = make_client(RD_KAFKA_CONSUMER,
        {{"bootstrap.servers", brokers()}, {"group.id", "reader"}, {"enable.partition.eof", "true"},
            {"enable.auto.commit", "false"}, {"auto.offset.reset", "earliest"}, {"fetch.wait.max.ms", "10"},
            {"log_level", "0"}});
    rd_kafka_poll_set_consumer(reader);
    auto* const all = rd_kafka_topic_partition_list_new(partition_count);
    for (int i = 0; i < partition_count; ++i)
        rd_kafka_topic_partition_list_add(all, topic.c_str(), i)->offset = RD_KAFKA_OFFSET_BEGINNING;
    rd_kafka_assign(reader, all);
    rd_kafka_topic_partition_list_destroy(all);

    std::vector<stored_record> found;
    int ended = 0;
    while (ended < partition_count) {
        auto* const message = rd_kafka_consumer_poll(reader, read_milliseconds_max);
        if (message == nullptr) throw std::runtime_error{"the mock cluster does not answer"};
        if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
            ++ended;
        else if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR)
            found.push_back(copy_of(*message));
        rd_kafka_message_destroy(message);
    }
    rd_kafka_consumer_close(reader);
    rd_kafka_destroy(reader);
    return found;
}

std::int64_t mock_kafka::committed(std::string const& group, std::string const& topic) const
{
    auto* const reader =
        make_client(RD_KAFKA_CONSUMER, {{"bootstrap.servers", brokers()}, {"group.id", group}, {"log_level", "0"}});
    auto* const all = rd_kafka_topic_partition_list_new(partition_count);
    rd_kafka_topic_partition_list_add_range(all, topic.c_str(), 0, partition_count - 1);
    auto const error = rd_kafka_committed(reader, all, read_milliseconds_max);
    std::int64_t sum = 0;
    for (auto const* one = all->elems; one != all->elems + all->cnt; ++one)
        sum += one->offset < 0 ? 0 : one->offset; // negative: nothing was committed
    rd_kafka_topic_partition_list_destroy(all);
    rd_kafka_destroy(reader);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) throw std::runtime_error{rd_kafka_err2str(error)};
    return sum;
}

std::vector<stored_record> mock_kafka::records_with_id(std::string const& topic, std::string const& ce_id) const
{
    auto found = records(topic);
    std::erase_if(found, [&](auto const& record) {
        auto const id = record.headers.find("ce_id");
        return id == record.headers.end() || id->second != ce_id;
    });
    return found;
}

}
