#pragma once

// The producer for callers that can wait: one record, one outcome. For dead letters and snapshots of the
// worker and for commands; from several threads if need be.

#include "common/kafka/producer.hpp"

#include <condition_variable>
#include <map>

namespace clerk_strapi::kafka
{

enum class published {
    persisted,
    not_persisted, // queue full, refused or given up: surely not in the log
    unknown, // possibly persisted, or no report in time: a retry may make a second copy
    too_large, // no retry helps
};

class waiting_producer
{
public:
    waiting_producer(client_settings settings, producer_options options);

    // Returns at the latest after `time`; a report that comes later is dropped.
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
