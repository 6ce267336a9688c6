// kafka_snapshots against librdkafka's mock cluster: what brokers find too large is told apart from what they did not
// take.

#include "tests/support/mock_kafka.hpp"
#include "worker/operate/snapshot_topic.hpp"

#include <doctest/doctest.h>

using namespace clerk_strapi;
using namespace clerk_strapi::worker;
using namespace clerk_strapi::tests;
using namespace std::chrono_literals;

namespace
{

constexpr auto topic = "clerk.user-snapshots";
constexpr int message_too_large = 10;
constexpr int not_enough_replicas = 19;

publish_result publish(mock_kafka const& kafka, std::vector<std::string> const& values)
{
    kafka_snapshots snapshots{{kafka.brokers(), "test", {}}, topic, [] { return false; }};
    return snapshots.publish(
        values.size(),
        [&](std::size_t i) {
            return user_record{"user_" + std::to_string(i), values[i], {}};
        },
        30s);
}

}

TEST_CASE("a snapshot that its topic finds too large is told, and no retry waits for it")
{
    mock_kafka kafka;
    kafka.refuse_next_produces(message_too_large, 2); // in its batch, and by itself
    auto const result = publish(kafka, {"large"});
    CHECK(result.status == publish_status::persisted);
    CHECK(result.too_large == std::vector<std::size_t>{0});
    CHECK(kafka.records(topic).empty());
}

TEST_CASE("a snapshot whose batch alone is too large for its topic is published by itself")
{
    mock_kafka kafka;
    kafka.refuse_next_produces(message_too_large, 1);
    auto const result = publish(kafka, {"small"});
    CHECK(result.status == publish_status::persisted);
    CHECK(result.too_large.empty());
    CHECK(kafka.records(topic).size() == 1);
}

TEST_CASE("one over the producer's own limit keeps nobody else out, and what brokers refuse for now is sent again")
{
    mock_kafka kafka;
    kafka.refuse_next_produces(not_enough_replicas, 1);
    auto const result = publish(kafka, {"a", std::string(2'000'000, 'x'), "b"});
    CHECK(result.status == publish_status::persisted);
    CHECK(result.too_large == std::vector<std::size_t>{1});
    CHECK(kafka.records(topic).size() == 2);
}
