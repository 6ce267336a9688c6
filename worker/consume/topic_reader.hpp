#pragma once

// Reads offset ranges of a topic for commands: each record once, in order per partition. It joins no consumer group,
// commits no offsets, and does not affect running workers. Blocking, one thread. The records fetched ahead are bounded.
// Records must be destroyed before the reader.

#include "common/kafka/client_config.hpp"
#include "worker/ports.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace clerk_strapi::worker
{

// `until` itself is not read.
struct partition_range
{
    std::int32_t partition{0};
    std::int64_t from{0};
    std::int64_t until{0};

    [[nodiscard]] std::int64_t size() const { return until > from ? until - from : 0; }
};

class kafka_topic_reader
{
public:
    // Throws std::invalid_argument or std::runtime_error on bad settings.
    explicit kafka_topic_reader(kafka::client_settings const& client);
    ~kafka_topic_reader();
    kafka_topic_reader(kafka_topic_reader const&) = delete;
    kafka_topic_reader& operator=(kafka_topic_reader const&) = delete;

    // The cluster's id; empty when no broker responds.
    [[nodiscard]] std::string const& cluster();
    // The offsets of each partition. nullopt: the brokers did not respond to each request within `wait`; empty: the
    // topic does not exist.
    [[nodiscard]] std::optional<std::vector<partition_extent>> extents(
        std::string const& topic, std::chrono::milliseconds wait = std::chrono::seconds{10});
    // Per partition the first offset at or after that time; its end if there is none.
    [[nodiscard]] std::optional<std::map<std::int32_t, std::int64_t>> offsets_at(
        std::string const& topic, std::vector<partition_extent> const& extents, std::int64_t time_ms);
    // The partition to which this project's producers send a key.
    [[nodiscard]] static std::int32_t partition_of(std::string_view key, std::int32_t partitions);

    // Starts to read these ranges of one topic, and ends the earlier ones.
    void begin(std::string const& topic, std::vector<partition_range> const& ranges);
    // Waits for a first record, then returns what has arrived, up to `records_max`.
    [[nodiscard]] std::vector<event_record> poll(std::chrono::milliseconds wait, std::size_t records_max);
    // Every range was read.
    [[nodiscard]] bool finished() const { return open_.empty(); }
    // What was not read yet.
    [[nodiscard]] std::vector<partition_range> left() const;
    // Why librdkafka's last failed call failed; empty: none did.
    [[nodiscard]] std::string const& fault() const { return fault_; }

private:
    struct handles;

    void end_reading();
    void close(std::int32_t partition);

    std::unique_ptr<handles> handles_;
    std::string cluster_;
    std::string topic_;
    std::map<std::int32_t, partition_range> open_;
    std::string fault_;
};

}
