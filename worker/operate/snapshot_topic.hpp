#pragma once

// Publishes a page of records, and returns when every in-sync broker has stored all of them: only then may a caller
// move its cursor (I1). Records that were not stored are sent again; a second copy is harmless (I4).

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
    persisted, // all except those in too_large
    unavailable, // the brokers did not store them in time, or the topic is missing
    interrupted,
};

struct publish_result
{
    publish_status status{publish_status::persisted};
    std::vector<std::size_t> too_large; // over message.max.bytes of the producer or the topic: no retry helps
};

class snapshot_topic
{
public:
    // `should_stop` is called while the brokers are unavailable.
    snapshot_topic(kafka::client_settings settings, std::string topic, std::function<bool()> should_stop);

    // `make(i)` returns record i and may be called several times for the same i. Memory is bounded by the producer's
    // queue.
    [[nodiscard]] publish_result publish(
        std::size_t count, std::function<user_record(std::size_t)> const& make, std::chrono::milliseconds patience);

    // Why no broker is connected, if librdkafka reported it; else empty.
    [[nodiscard]] std::string fault() const { return producer_.trouble(); }

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
    std::map<std::uint64_t, std::optional<kafka::delivery>> awaited_; // by tag, of the current round
    std::size_t open_{0}; // how many of them have no report yet
    std::uint64_t next_tag_{0};
    std::map<std::uint64_t, std::size_t> index_of_; // used only by the publishing thread
    kafka::producer producer_; // last member: its thread uses the others
};

}
