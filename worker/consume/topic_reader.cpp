#include "worker/consume/topic_reader.hpp"

#include "common/kafka/client_errors.hpp"
#include "worker/consume/kafka_record.hpp"

#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <array>
#include <stdexcept>

namespace clerk_strapi::worker
{

namespace
{

constexpr auto timeout_ms = 10'000;
constexpr std::chrono::seconds reason_patience{5};

using list_pointer = std::unique_ptr<rd_kafka_topic_partition_list_t, decltype(&rd_kafka_topic_partition_list_destroy)>;

}

struct kafka_topic_reader::handles
{
    kafka::client_errors errors;
    rd_kafka_t* client{nullptr};
    rd_kafka_topic_t* topic{nullptr};
    rd_kafka_queue_t* queue{nullptr};

    explicit handles(kafka::client_settings const& settings)
        : errors{settings}
    {
    }
    ~handles()
    {
        forget_topic();
        if (client != nullptr) rd_kafka_destroy(client);
    }

    void forget_topic()
    {
        if (queue != nullptr) rd_kafka_queue_destroy(queue);
        if (topic != nullptr) rd_kafka_topic_destroy(topic);
        queue = nullptr;
        topic = nullptr;
    }
};

kafka_topic_reader::kafka_topic_reader(kafka::client_settings const& client)
    : handles_{std::make_unique<handles>(client)}
{
    kafka::client_config config{client};
    config.set("check.crcs", "true");
    config.set("auto.offset.reset", "earliest"); // retention may remove the beginning meanwhile
    // All partitions share one queue, and librdkafka applies these limits to it. While it is full, nothing is fetched
    // for the backoff: the queue must be longer than what is applied meanwhile, or reading stalls.
    config.set("queued.min.messages", "50000");
    config.set("queued.max.messages.kbytes", "32768");
    config.set("fetch.message.max.bytes", "524288"); // a partition's share of one answer: bounds resident memory
    config.set("fetch.error.backoff.ms", "100"); // a full queue's too, before librdkafka 2.2
    config.set_if_known("fetch.queue.backoff.ms", "100"); // since then it waits a second, and reading stalls
    config.set("fetch.wait.max.ms", "50");
    config.apply_extra();
    config.set("enable.partition.eof", "true");
    handles_->errors.attach(config.get());
    std::array<char, 512> why{};
    handles_->client = rd_kafka_new(RD_KAFKA_CONSUMER, config.get(), why.data(), why.size());
    if (handles_->client == nullptr) throw std::runtime_error{"Kafka consumer: " + std::string{why.data()}};
    static_cast<void>(config.release());
}

kafka_topic_reader::~kafka_topic_reader() { end_reading(); }

std::string const& kafka_topic_reader::cluster()
{
    if (!cluster_.empty()) return cluster_;
    if (auto* const id = rd_kafka_clusterid(handles_->client, timeout_ms)) {
        cluster_ = id;
        rd_kafka_mem_free(handles_->client, id);
    } else {
        fault_ = handles_->errors.explain(handles_->client, RD_KAFKA_RESP_ERR__TIMED_OUT, reason_patience);
    }
    return cluster_;
}

std::optional<std::vector<partition_extent>> kafka_topic_reader::extents(
    std::string const& topic, std::chrono::milliseconds wait)
{
    auto const wait_ms = static_cast<int>(wait.count());
    // All topics, not this one by name: a request by name can create it on brokers that allow that.
    rd_kafka_metadata_t const* metadata = nullptr;
    auto const error = rd_kafka_metadata(handles_->client, 1, nullptr, &metadata, wait_ms);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
        fault_ = handles_->errors.explain(handles_->client, error, wait / 2);
        return std::nullopt;
    }
    auto const* const begin = metadata->topics;
    auto const* const end = begin + metadata->topic_cnt;
    auto const* const known = std::find_if(begin, end, [&](auto const& one) { return topic == one.topic; });
    std::vector<partition_extent> found;
    for (auto i = 0; known != end && i < known->partition_cnt; ++i)
        found.push_back(partition_extent{known->partitions[i].id, 0, 0});
    rd_kafka_metadata_destroy(metadata);
    for (auto& [partition, first, next] : found) {
        auto const code =
            rd_kafka_query_watermark_offsets(handles_->client, topic.c_str(), partition, &first, &next, wait_ms);
        if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
            fault_ = handles_->errors.explain(handles_->client, code);
            return std::nullopt;
        }
    }
    return found;
}

std::optional<std::map<std::int32_t, std::int64_t>> kafka_topic_reader::offsets_at(
    std::string const& topic, std::vector<partition_extent> const& extents, std::int64_t time_ms)
{
    list_pointer const list{
        rd_kafka_topic_partition_list_new(static_cast<int>(extents.size())), &rd_kafka_topic_partition_list_destroy};
    std::map<std::int32_t, std::int64_t> found;
    for (auto const& one : extents) {
        rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), one.partition)->offset = time_ms;
        found[one.partition] = one.next;
    }
    auto const code = rd_kafka_offsets_for_times(handles_->client, list.get(), timeout_ms);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        fault_ = handles_->errors.explain(handles_->client, code);
        return std::nullopt;
    }
    for (auto const* one = list->elems; one != list->elems + list->cnt; ++one) {
        if (one->err == RD_KAFKA_RESP_ERR_NO_ERROR && one->offset >= 0) found[one->partition] = one->offset;
    }
    return found;
}

std::int32_t kafka_topic_reader::partition_of(std::string_view key, std::int32_t partitions)
{
    return rd_kafka_msg_partitioner_murmur2(nullptr, key.data(), key.size(), partitions, nullptr, nullptr);
}

void kafka_topic_reader::begin(std::string const& topic, std::vector<partition_range> const& ranges)
{
    end_reading();
    topic_ = topic;
    handles_->topic = rd_kafka_topic_new(handles_->client, topic.c_str(), nullptr);
    handles_->queue = rd_kafka_queue_new(handles_->client);
    for (auto const& range : ranges) {
        if (range.size() == 0) continue;
        if (rd_kafka_consume_start_queue(handles_->topic, range.partition, range.from, handles_->queue) != 0)
            throw std::runtime_error{"Kafka: " + std::string{rd_kafka_err2str(rd_kafka_last_error())}};
        open_.emplace(range.partition, range);
    }
}

std::vector<event_record> kafka_topic_reader::poll(std::chrono::milliseconds wait, std::size_t records_max)
{
    rd_kafka_poll(handles_->client, 0); // serves connection errors: no other call does
    std::vector<event_record> records;
    while (!open_.empty() && records.size() < records_max) {
        auto const patience = records.empty() ? static_cast<int>(wait.count()) : 0;
        auto message = hold_message(rd_kafka_consume_queue(handles_->queue, patience));
        if (!message) break;
        auto const found = open_.find(message->partition);
        if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
            if (found != open_.end()) close(found->first);
            continue;
        }
        if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
            fault_ = rd_kafka_message_errstr(message.get());
            continue;
        }
        if (found == open_.end()) continue; // fetched ahead, after the end of its range
        auto& range = found->second;
        if (message->offset < range.until) {
            range.from = message->offset + 1;
            records.push_back(record_of(std::move(message), cluster_, topic_));
        } else {
            range.from = range.until;
        }
        if (range.from >= range.until) close(range.partition);
    }
    return records;
}

std::vector<partition_range> kafka_topic_reader::left() const
{
    std::vector<partition_range> ranges;
    ranges.reserve(open_.size());
    for (auto const& [partition, range] : open_)
        ranges.push_back(range);
    return ranges;
}

void kafka_topic_reader::close(std::int32_t partition)
{
    rd_kafka_consume_stop(handles_->topic, partition);
    open_.erase(partition);
}

void kafka_topic_reader::end_reading()
{
    while (!open_.empty())
        close(open_.begin()->first);
    handles_->forget_topic();
}

}
