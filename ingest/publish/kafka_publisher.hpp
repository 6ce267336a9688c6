#pragma once

// Publishes events to Kafka. Enforces its own deadline: librdkafka may report a failure seconds after its timeout, and
// a sender must not wait for that. Reports arrive on the producer's thread, which posts each batch to the io_context's.

#include "common/kafka/producer.hpp"
#include "ingest/ports.hpp"
#include "ingest/publish/publication_queue.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <array>
#include <chrono>
#include <optional>
#include <string>

namespace clerk_strapi::ingest
{

struct publisher_settings
{
    kafka::client_settings client;
    std::string user_events_topic; // a topic whose name is empty is never written to
    std::string provisioning_topic;
    std::string dead_letters_topic;
    std::chrono::milliseconds timeout{8'000};
    std::size_t waiting_max{8'192};
    std::size_t queue_bytes_max{16 * 1024 * 1024};
};

class kafka_publisher final : public event_publisher
{
public:
    // Throws when librdkafka rejects the settings. Does not wait for brokers.
    kafka_publisher(boost::asio::io_context& io, publisher_settings settings);
    ~kafka_publisher() override;

    [[nodiscard]] boost::asio::awaitable<publish_outcome> publish(published_event const& record) override;

    // For a stop: shortens every deadline to `latest`.
    void cut_deadlines(std::chrono::steady_clock::time_point latest);
    [[nodiscard]] std::size_t waiting() const { return queue_.size(); }
    [[nodiscard]] bool brokers_up() const { return producer_.brokers_up(); }
    [[nodiscard]] std::string trouble() const { return producer_.trouble(); }
    bool flush(std::chrono::milliseconds time) { return producer_.flush(time); }

private:
    [[nodiscard]] std::string const& topic_of(topic_role role) const;
    void take_reports(std::vector<kafka::report> const& reports);
    void arm_timer();
    void expire();

    boost::asio::io_context& io_;
    publisher_settings settings_;
    publication_queue queue_;
    boost::asio::steady_timer timer_;
    bool armed_{false};
    std::optional<std::chrono::steady_clock::time_point> latest_;
    kafka::producer producer_; // last: its thread posts to the members above
};

}
