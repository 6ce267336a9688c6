// librdkafka's statistics as metrics.

#include "common/kafka/client_metrics.hpp"

#include <doctest/doctest.h>
#include <prometheus/text_serializer.h>

using namespace clerk_strapi::kafka;

namespace
{

constexpr auto consumer = R"({"name": "x", "msg_cnt": 3, "tx_bytes": 100, "rx_bytes": 2000, "brokers": {
    "127.0.0.1:9092/bootstrap": {"nodeid": -1, "state": "UP", "req_timeouts": 1, "txretries": 0, "rtt": {"p99": 0}},
    "127.0.0.1:9092/1": {"nodeid": 1, "state": "UP", "req_timeouts": 2, "txretries": 5, "rtt": {"p99": 1500}},
    "127.0.0.1:9093/2": {"nodeid": 2, "state": "DOWN", "req_timeouts": 0, "txretries": 0, "rtt": {"p99": 250000}},
    "GroupCoordinator": {"nodeid": 1, "state": "UP", "req_timeouts": 0, "txretries": 1, "rtt": {"p99": 700}}}})";

std::string page_of(prometheus::Registry const& registry)
{
    return prometheus::TextSerializer{}.Serialize(registry.Collect());
}

}

TEST_CASE("Kafka statistics: count each broker once and report the slowest")
{
    auto const figures = read_statistics(consumer);
    CHECK(figures.brokers_up == 1);
    CHECK(figures.queued_records == 3);
    CHECK(figures.sent_bytes == 100);
    CHECK(figures.received_bytes == 2000);
    CHECK(figures.request_timeouts == 3);
    CHECK(figures.request_retries == 6);
    CHECK(figures.round_trip_seconds == doctest::Approx(0.25));
}

TEST_CASE("Kafka statistics: unknown JSON counts as zero and never crashes [I6]")
{
    for (auto const* const text : {"", "[]", "{", R"({"brokers": 7, "msg_cnt": "many"})",
             R"({"brokers": {"a": 1, "b": {"state": 3, "nodeid": "x", "rtt": []}}})"}) {
        auto const figures = read_statistics(text);
        CHECK(figures.brokers_up == 0);
        CHECK(figures.queued_records == 0);
        CHECK(figures.round_trip_seconds == 0);
    }
}

TEST_CASE("Kafka statistics: a client's series exist before its first statistics")
{
    prometheus::Registry registry;
    client_metrics clients{registry};
    auto const observe = clients.observer("events");
    CHECK(page_of(registry).find("clerk_kafka_sent_bytes_total{client=\"events\"} 0") != std::string::npos);
    observe(consumer);
    auto const page = page_of(registry);
    CHECK(page.find("clerk_kafka_sent_bytes_total{client=\"events\"} 100") != std::string::npos);
    CHECK(page.find("clerk_kafka_brokers_up{client=\"events\"} 1") != std::string::npos);
}
