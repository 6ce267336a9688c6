#pragma once

// Keeps ingest not ready until Kafka was reached once, by the rules of publish/kafka_readiness.hpp. Runs on the
// io_context's thread.

#include "common/http/admin_endpoint.hpp"
#include "common/kafka/topic_watch.hpp"
#include "ingest/config.hpp"
#include "ingest/publish/kafka_contact.hpp"
#include "ingest/publish/kafka_readiness.hpp"

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <memory>
#include <string>

namespace clerk_strapi::ingest
{

class kafka_gate
{
public:
    kafka_gate(boost::asio::io_context& io, config const& settings);

    // Call once per second. `brokers_up`: a broker is connected now, so this Kafka configuration works.
    void update(bool brokers_up);
    // At SIGTERM: closes the topic watch's connection while requests are still served.
    void begin_stop();

    [[nodiscard]] kafka_readiness state() const { return state_; }
    [[nodiscard]] health_check health() const;

private:
    void take(kafka::findings const& found);
    void note_missing(std::string topics);
    void advance();
    [[nodiscard]] std::string detail() const;

    std::chrono::steady_clock::time_point const started_{std::chrono::steady_clock::now()};
    kafka_view view_;
    kafka_readiness state_{kafka_readiness::no_contact};
    std::string fault_; // of the last topic query
    std::string missing_; // topics
    std::unique_ptr<contact_store> store_; // null: sign-in is not configured
    std::unique_ptr<kafka::topic_watch> watch_; // last: its thread posts to the members above
};

}
