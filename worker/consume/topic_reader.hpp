#pragma once

// Reads stretches of the log for commands: from one offset to another, each record once, in order per partition.
// Belongs to no consumer group: it moves nobody's offsets, and the live workers do not notice it. Blocking, one thread;
// what is fetched ahead is bounded. Records must be let go before the reader is.

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

// From one offset up to another, which is not read.
struct partition_range
{
    std::int32_t partition{0};
    std::int64_t from{0};
    std::int64_t until{0};

    [[nodiscard]] std::int64_t size() const { return until > from ? until - from : 0; }
};

class kafka_log_reader
{
public:
    // Throws std::invalid_argument or std::runtime_error on bad settings.
    explicit kafka_log_reader(kafka::client_settings const& client);
    ~kafka_log_reader();
    kafka_log_reader(kafka_log_reader const&) = delete;
    kafka_log_reader& operator=(kafka_log_reader const&) = delete;

    // The cluster's own id; empty when no broker answers.
    [[nodiscard]] std::string const& cluster();
    // What each partition holds. Nothing: the brokers do not answer, each question within `wait`; empty: there
    // is no such topic.
    [[nodiscard]] std::optional<std::vector<log_extent>> extents(
        std::string const& topic, std::chrono::milliseconds wait = std::chrono::seconds{10});
    // Of each partition the first offset at or after that time; its end when nothing is so young.
    [[nodiscard]] std::optional<std::map<std::int32_t, std::int64_t>> offsets_at(
        std::string const& topic, std::vector<log_extent> const& extents, std::int64_t time_ms);
    // The partition in which producers of this project put a key.
    [[nodiscard]] static std::int32_t partition_of(std::string_view key, std::int32_t partitions);

    // Begins to read these stretches of one topic, and forgets others.
    void begin(std::string const& topic, std::vector<partition_range> const& ranges);
    // Waits for a first record, then takes what is there, up to `records_max`.
    [[nodiscard]] std::vector<event_record> poll(std::chrono::milliseconds wait, std::size_t records_max);
    // Every stretch was handed out.
    [[nodiscard]] bool finished() const { return open_.empty(); }
    // What was not handed out yet.
    [[nodiscard]] std::vector<partition_range> left() const;
    // Why librdkafka's last call failed, for people; empty: none did.
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
