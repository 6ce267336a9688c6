// snapshot_topic against librdkafka's mock cluster: records that are too large, and records that the brokers did not
// store.

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
    snapshot_topic snapshots{{kafka.brokers(), "test", {}}, topic, [] { return false; }};
    return snapshots.publish(
        values.size(),
        [&](std::size_t i) {
            return user_record{"user_" + std::to_string(i), values[i], {}};
        },
        30s);
}

}

TEST_CASE("snapshot topic: a record over the topic's limit is reported and not retried")
{
    mock_kafka kafka;
    kafka.refuse_next_produces(message_too_large, 2); // in its batch, and alone
    auto const result = publish(kafka, {"large"});
    CHECK(result.status == publish_status::persisted);
    CHECK(result.too_large == std::vector<std::size_t>{0});
    CHECK(kafka.records(topic).empty());
}

TEST_CASE("snapshot topic: a record whose batch exceeds the topic's limit is sent alone")
{
    mock_kafka kafka;
    kafka.refuse_next_produces(message_too_large, 1);
    auto const result = publish(kafka, {"small"});
    CHECK(result.status == publish_status::persisted);
    CHECK(result.too_large.empty());
    CHECK(kafka.records(topic).size() == 1);
}

TEST_CASE("snapshot topic: retries a temporary error, and skips a record over the producer's limit")
{
    mock_kafka kafka;
    kafka.refuse_next_produces(not_enough_replicas, 1);
    auto const result = publish(kafka, {"a", std::string(2'000'000, 'x'), "b"});
    CHECK(result.status == publish_status::persisted);
    CHECK(result.too_large == std::vector<std::size_t>{1});
    CHECK(kafka.records(topic).size() == 2);
}
