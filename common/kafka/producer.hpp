#pragma once

// An idempotent producer with acks=all: what I1 rests on. publish() never blocks; exactly one report follows
// each record that was queued, handed over in batches on the producer's own thread. "I do not know" is a
// report of its own: possibly_persisted must be answered as a failure, and a second copy must be harmless.
//
// A fatal error of librdkafka (its sequence is broken) rebuilds the instance; what it held is reported.

#include "common/kafka/client_errors.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

struct rd_kafka_s;
struct rd_kafka_topic_s;
struct rd_kafka_message_s;

namespace clerk_strapi::kafka
{

struct header
{
    std::string_view name;
    std::string_view value;
};

struct outgoing_record
{
    std::string_view topic;
    std::optional<std::string_view> key{};
    std::string_view value;
    std::span<header const> headers{};
};

enum class enqueued {
    queued, // a report follows
    queue_full, // brokers too slow: say so to whoever sends, try later
    too_large, // over message.max.bytes: no retry helps
    failed, // unknown topic, an instance being rebuilt, ...: try later
};

enum class delivery {
    persisted, // every in-sync replica has it
    not_persisted, // surely not in the log
    too_large, // the same: over the topic's max.message.bytes, so no retry helps
    possibly_persisted, // nobody knows; a retry may make a second copy
};

struct report
{
    std::uint64_t tag;
    delivery outcome;
};

struct producer_options
{
    std::chrono::milliseconds give_up_after{7'500}; // message.timeout.ms; the caller's own deadline is a little later
    std::size_t queue_bytes_max{16 * 1024 * 1024};
    std::vector<std::string> topics{}; // looked up at start, so that the first record need not wait for it
};

class producer
{
public:
    // One call for each batch of reports; on the producer's thread, so: hand over, and return.
    using report_sink = std::function<void(std::vector<report>)>;

    // Does not wait for brokers. Throws std::invalid_argument or std::runtime_error when the settings are bad.
    producer(client_settings settings, producer_options options, report_sink sink);
    // Waits for nothing: what is still queued is purged and reported. Flush first.
    ~producer();
    producer(producer const&) = delete;
    producer& operator=(producer const&) = delete;

    [[nodiscard]] enqueued publish(outgoing_record const& record, std::uint64_t tag);
    // True when everything was reported in time.
    bool flush(std::chrono::milliseconds time);

    // A connection to at least one broker, as last seen; for gauges.
    [[nodiscard]] bool brokers_up() const { return brokers_up_; }
    // Why no broker is connected, as far as it was reported; else empty.
    [[nodiscard]] std::string trouble() const { return brokers_up_ ? std::string{} : errors_.reason(); }
    [[nodiscard]] std::uint64_t rebuilds() const { return rebuilds_; }

private:
    struct instance;
    struct callbacks;

    [[nodiscard]] std::unique_ptr<instance> make_instance();
    void serve();
    void hand_over();
    bool rebuild(); // false: stopped meanwhile, and there is no instance any more
    void collect(rd_kafka_message_s const& message);

    client_settings settings_;
    producer_options options_;
    client_errors errors_; // before the instance, whose callbacks use it
    report_sink sink_;
    std::mutex instance_mutex_; // publish() against rebuild(); never held while waiting
    std::unique_ptr<instance> instance_;
    std::vector<report> collected_; // the serving thread's
    std::atomic<bool> brokers_up_{false};
    std::atomic<bool> fatal_{false};
    std::atomic<bool> stopping_{false};
    std::atomic<std::uint64_t> rebuilds_{0};
    std::thread thread_;
};

}
