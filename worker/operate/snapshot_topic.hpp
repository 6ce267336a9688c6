#pragma once

// Publishes many records and returns when every in-sync broker has them all: whoever keeps a cursor may move it then
// (I1). What the brokers did not take is sent again; a second copy is harmless (I4).

#include "common/kafka/producer.hpp"
#include "worker/operate/snapshot_record.hpp"

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace clerk_strapi::worker
{

enum class publish_status {
    persisted, // all, but for those that are too large
    unavailable, // the brokers did not take them in time, or the topic is not there
    interrupted,
};

struct publish_result
{
    publish_status status{publish_status::persisted};
    std::vector<std::size_t> too_large; // over message.max.bytes, ours or the topic's: no retry helps
};

class kafka_snapshots
{
public:
    // `should_stop` is asked while the brokers are away.
    kafka_snapshots(kafka::client_settings settings, std::string topic, std::function<bool()> should_stop);

    // `make(i)` gives record i and may be called again for the same i. Memory is bounded by the producer's queue.
    [[nodiscard]] publish_result publish(
        std::size_t count, std::function<user_record(std::size_t)> const& make, std::chrono::milliseconds patience);

    // Why no broker is connected, as far as it was reported; else empty.
    [[nodiscard]] std::string trouble() const { return producer_.trouble(); }

private:
    using clock = std::chrono::steady_clock;
    enum class taken { queued, too_large, refused };
    [[nodiscard]] taken enqueue(user_record const& record, std::uint64_t tag, clock::time_point until);
    void send(std::vector<std::size_t> const& indexes, std::function<user_record(std::size_t)> const& make,
        clock::time_point until, publish_result& result);
    struct round;
    [[nodiscard]] round sort();
    void take(std::vector<kafka::report> const& reports);

    std::string topic_;
    std::function<bool()> should_stop_;
    std::mutex mutex_;
    std::condition_variable reported_;
    std::map<std::uint64_t, std::optional<kafka::delivery>> awaited_; // by tag, of the round under way
    std::size_t open_{0}; // of these, without a report
    std::uint64_t next_tag_{0};
    std::map<std::uint64_t, std::size_t> index_of_; // the publishing thread's
    kafka::producer producer_; // last: its thread uses the above
};

}
