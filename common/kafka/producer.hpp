#pragma once

// An idempotent producer with acks=all, on which I1 depends. publish() never blocks. Exactly one report follows for
// each queued record, in batches, on the producer's own thread. The report possibly_persisted means that the outcome is
// unknown: the caller must treat it as a failure, and a second copy of the record must be harmless.
//
// After a fatal error of librdkafka (a broken sequence) the producer creates a new instance; the old one reports its
// records.

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
    queue_full, // the brokers are too slow: try again later
    too_large, // over message.max.bytes: a retry does not help
    failed, // unknown topic, no instance at the moment, ...: try again later
};

enum class delivery {
    persisted, // every in-sync replica has stored it
    not_persisted, // certainly not in the topic
    too_large, // not in the topic: over its max.message.bytes, so a retry does not help
    possibly_persisted, // unknown; a retry may create a second copy
};

struct report
{
    std::uint64_t tag;
    delivery outcome;
};

struct producer_options
{
    std::chrono::milliseconds give_up_after{7'500}; // message.timeout.ms; a little less than the caller's deadline
    std::size_t queue_bytes_max{16 * 1024 * 1024};
    std::vector<std::string> topics{}; // looked up at start, so that the first record does not wait
};

class producer
{
public:
    // Called once per batch of reports, on the producer's thread; it must not block.
    using report_sink = std::function<void(std::vector<report>)>;

    // Does not wait for brokers. Throws std::invalid_argument or std::runtime_error on bad settings.
    producer(client_settings settings, producer_options options, report_sink sink);
    // Purges and reports the queued records without waiting for brokers. Call flush() first.
    ~producer();
    producer(producer const&) = delete;
    producer& operator=(producer const&) = delete;

    [[nodiscard]] enqueued publish(outgoing_record const& record, std::uint64_t tag);
    // True when all reports came in time.
    bool flush(std::chrono::milliseconds time);

    // At least one broker is connected, by the last statistics; for gauges.
    [[nodiscard]] bool brokers_up() const { return brokers_up_; }
    // Why no broker is connected; empty when one is, or no reason was reported.
    [[nodiscard]] std::string trouble() const { return brokers_up_ ? std::string{} : errors_.reason(); }

private:
    struct instance;
    struct callbacks;

    [[nodiscard]] std::unique_ptr<instance> make_instance();
    void serve();
    void deliver_reports();
    bool recreate(); // false: stopped meanwhile, and there is no instance
    void collect(rd_kafka_message_s const& message);

    client_settings settings_;
    producer_options options_;
    client_errors errors_; // before the instance, whose callbacks use it
    report_sink sink_;
    std::mutex instance_mutex_; // between publish() and recreate(); never held while waiting
    std::unique_ptr<instance> instance_;
    std::vector<report> collected_; // of the serving thread
    std::atomic<bool> brokers_up_{false};
    std::atomic<bool> fatal_{false};
    std::atomic<bool> stopping_{false};
    std::thread thread_;
};

}
