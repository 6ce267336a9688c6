#pragma once

// The producer for callers that can wait: one record, one outcome. The worker uses it for dead letters and snapshots,
// and commands use it. Thread-safe.

#include "common/kafka/producer.hpp"

#include <condition_variable>
#include <map>

namespace clerk_strapi::kafka
{

enum class published {
    persisted,
    not_persisted, // queue full, rejected or timed out: certainly not in the topic
    unknown, // possibly persisted, or no report in time: a retry may create a second copy
    too_large, // a retry does not help
};

class waiting_producer
{
public:
    waiting_producer(client_settings settings, producer_options options);

    // Returns after at most `time`. A later report is dropped.
    [[nodiscard]] published publish_and_wait(outgoing_record const& record, std::chrono::milliseconds time);
    [[nodiscard]] bool brokers_up() const { return producer_.brokers_up(); }
    [[nodiscard]] std::string trouble() const { return producer_.trouble(); }

private:
    void take(std::vector<report> const& reports);

    std::mutex mutex_;
    std::condition_variable reported_;
    std::map<std::uint64_t, std::optional<delivery>> awaited_;
    std::uint64_t next_tag_{1};
    producer producer_; // last: its thread calls take()
};

}
