// kafka_event_source on librdkafka's mock cluster: order, positions, pauses, rebalances, broker outages.

#include "tests/support/source_stage.hpp"
#include "worker/consume/event_source.hpp"
#include "worker/dead_letters/dead_letter_topic.hpp"

#include "common/event/cloud_event.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <set>
#include <thread>

using namespace clerk_strapi;
using namespace clerk_strapi::worker;
using namespace clerk_strapi::tests;
using namespace std::chrono_literals;

TEST_CASE("event source: returns records in order with key, headers and time, in bounded batches")
{
    mock_kafka kafka;
    publisher{kafka}.publish("user_1", 0, 25);
    kafka_event_source source{settings_of(kafka, 10), nothing_known()};
    std::vector<event_record> all;
    auto const until = std::chrono::steady_clock::now() + patience;
    while (all.size() < 25 && std::chrono::steady_clock::now() < until) {
        auto batch = source.poll(50ms);
        REQUIRE(batch.size() <= 10);
        for (auto& record : batch)
            all.push_back(std::move(record));
    }
    CHECK(values_of(all) == numbers(0, 25));
    CHECK(all[0].key == "user_1");
    CHECK(all[0].topic == topic);
    CHECK_FALSE(all[0].cluster.empty());
    CHECK(all[0].timestamp_ms.value_or(0) > 1'700'000'000'000);
    REQUIRE(all[0].headers.size() == 1);
    CHECK(all[0].view().headers[0].name == cloud_event::id);
    CHECK(all[0].view().headers[0].value == "0");
}

TEST_CASE("event source: starts at the stored position, not at Kafka's commit [I7]")
{
    mock_kafka kafka;
    publisher{kafka}.publish("user_1", 0, 10);
    std::string cluster;
    std::int32_t partition = 0;
    {
        kafka_event_source source{settings_of(kafka), nothing_known()};
        auto const records = read(source, 10);
        REQUIRE(records.size() == 10);
        cluster = records[0].cluster;
        partition = records[0].partition;
        source.finished({{cluster, topic, partition, 10}}); // Kafka's commit is at the end
    }
    SUBCASE("an older stored position: reads again from there")
    {
        kafka_event_source source{settings_of(kafka), [&](std::string const& id) {
                                      CHECK(id == cluster);
                                      return std::vector<partition_position>{{cluster, topic, partition, 4}};
                                  }};
        CHECK(values_of(read(source, 6)) == numbers(4, 6));
    }
    SUBCASE("no stored position: reads from the beginning")
    {
        kafka_event_source source{settings_of(kafka, 500, "another"), nothing_known()};
        CHECK(values_of(read(source, 10)) == numbers(0, 10));
    }
    SUBCASE("a position after the end: reads from the oldest record, never jumps to the end [D11]")
    {
        auto settings = settings_of(kafka, 500, "another");
        std::vector<offset_gap> gaps;
        settings.offset_gap_found = [&](offset_gap kind) { gaps.push_back(kind); };
        kafka_event_source source{settings, [&](std::string const&) {
                                      return std::vector<partition_position>{{cluster, topic, partition, 5'000}};
                                  }};
        CHECK(values_of(read(source, 10)) == numbers(0, 10));
        CHECK(gaps == std::vector{offset_gap::rewound});
    }
}

TEST_CASE("event source: reads nothing until the database returns stored positions [I7]")
{
    mock_kafka kafka;
    publisher{kafka}.publish("user_1", 0, 5);
    auto lookups = 0;
    auto unavailable = true;
    kafka_event_source source{
        settings_of(kafka), [&](std::string const&) -> std::optional<std::vector<partition_position>> {
            ++lookups;
            if (unavailable) return std::nullopt;
            return std::vector<partition_position>{};
        }};
    REQUIRE(becomes_true([&] {
        REQUIRE(source.poll(50ms).empty());
        return lookups >= 3;
    }));
    CHECK_FALSE(source.positioned());
    unavailable = false;
    CHECK(values_of(read(source, 5)) == numbers(0, 5));
    CHECK(source.positioned());
}

TEST_CASE("event source: rewinds without a rebalance when stored positions are older [I2 I7]")
{
    mock_kafka kafka;
    publisher{kafka}.publish("user_1", 0, 10);
    std::vector<partition_position> database;
    kafka_event_source source{settings_of(kafka), [&](std::string const&) { return database; }};
    auto const records = read(source, 10);
    REQUIRE(records.size() == 10);
    partition_position position{std::string{records[0].cluster}, topic, records[0].partition, 10};
    source.finished({position});
    database = {position};
    CHECK_FALSE(source.rewind_if_positions_lost()); // an outage without lost positions
    database[0].next = 6;
    CHECK_FALSE(source.hold(10ms));
    CHECK(source.rewind_if_positions_lost());
    CHECK(values_of(read(source, 4)) == numbers(6, 4));
}

TEST_CASE("event source: a pause returns no record, and loses or repeats none afterwards")
{
    mock_kafka kafka;
    publisher publish{kafka};
    publish.publish("user_1", 0, 50);
    kafka_event_source source{settings_of(kafka, 7), nothing_known()};
    auto const first = static_cast<int>(read(source, 7).size());
    REQUIRE(first >= 7);
    REQUIRE(first < 50);
    CHECK_FALSE(source.hold(300ms));
    publish.publish("user_1", 50, 10);
    CHECK_FALSE(source.hold(300ms));
    CHECK(values_of(read(source, static_cast<std::size_t>(60 - first))) == numbers(first, 60 - first));
}

TEST_CASE("event source: a revoked batch is void, and the next owner reads it [I2]")
{
    mock_kafka kafka;
    publisher publish{kafka};
    for (auto i = 0; i < 40; ++i)
        publish.publish("user_" + std::to_string(i), i, 1);
    kafka_event_source first{settings_of(kafka), nothing_known()};
    REQUIRE(read(first, 40).size() == 40);
    CHECK_FALSE(first.hold(100ms));

    kafka_event_source second{settings_of(kafka), nothing_known()};
    std::mutex mutex;
    std::set<std::string> first_values;
    std::set<std::string> second_values;
    std::atomic<bool> done{false};
    std::thread other{[&] {
        while (!done) {
            for (auto const& value : values_of(second.poll(50ms))) {
                std::lock_guard const lock{mutex};
                second_values.insert(value);
            }
        }
    }};
    CHECK(becomes_true([&] { return first.hold(50ms); }));
    // Each has a share now, and reads it from the beginning, because no position is stored.
    CHECK(becomes_true([&] {
        for (auto const& value : values_of(first.poll(50ms)))
            first_values.insert(value);
        std::lock_guard const lock{mutex};
        auto all = first_values;
        all.insert(second_values.begin(), second_values.end());
        return !first_values.empty() && !second_values.empty() && all.size() == 40;
    }));
    done = true;
    other.join();
}

TEST_CASE("event source: continues reading after a broker outage [I9]")
{
    mock_kafka kafka;
    publisher publish{kafka};
    publish.publish("user_1", 0, 3);
    kafka_event_source source{settings_of(kafka), nothing_known()};
    REQUIRE(read(source, 3).size() == 3);
    CHECK(source.brokers_up());
    kafka.go_down();
    CHECK(becomes_true([&] {
        static_cast<void>(source.poll(50ms));
        return !source.brokers_up();
    }));
    kafka.come_back();
    publish.publish("user_1", 3, 2);
    CHECK(values_of(read(source, 2)) == numbers(3, 2));
    CHECK(becomes_true([&] {
        static_cast<void>(source.poll(50ms));
        return source.brokers_up();
    }));
}

TEST_CASE("event source: reports the lag per partition")
{
    mock_kafka kafka;
    publisher publish{kafka};
    publish.publish("user_1", 0, 30);
    kafka_event_source source{settings_of(kafka, 10), nothing_known()};
    auto const first = read(source, 10).size();
    REQUIRE(first < 30);
    auto const lag_is = [&](std::int64_t wanted) {
        std::int64_t sum = 0;
        for (auto const& one : source.lag())
            sum += one.records;
        return sum == wanted;
    };
    CHECK(becomes_true([&] {
        static_cast<void>(source.hold(50ms));
        return lag_is(30 - static_cast<std::int64_t>(first));
    }));
    REQUIRE(read(source, 30 - first).size() == 30 - first);
    CHECK(becomes_true([&] {
        static_cast<void>(source.poll(50ms));
        return lag_is(0);
    }));
}

TEST_CASE("dead letter: keeps key, value and headers, and adds reason and origin [D12]")
{
    mock_kafka kafka;
    kafka_dead_letters dead{client_of(kafka), "clerk.dead-letters"};
    event_record record;
    record.topic = topic;
    record.partition = 3;
    record.offset = 42;
    record.key = "user_1";
    record.value = "not json";
    record.headers = {{"ce_id", "msg_1"}, {"odd", std::nullopt}};
    REQUIRE(dead.publish(record, {dead_letter_reason::unusable_body, "", envelope_fault::not_json}));
    auto const published = kafka.records("clerk.dead-letters");
    REQUIRE(published.size() == 1);
    CHECK(published[0].key == "user_1");
    CHECK(published[0].value == "not json");
    CHECK(published[0].headers.at("ce_id") == "msg_1");
    CHECK(published[0].headers.at("dlq_reason") == "not_json");
    CHECK(published[0].headers.at("dlq_topic") == topic);
    CHECK(published[0].headers.at("dlq_partition") == "3");
    CHECK(published[0].headers.at("dlq_offset") == "42");
    CHECK(published[0].headers.at("dlq_attempts") == "1");
    CHECK(published[0].headers.at("dlq_time").ends_with("Z"));
}

TEST_CASE("dead letter: a record of the largest size is published without its body")
{
    mock_kafka kafka;
    kafka_dead_letters dead{client_of(kafka), "clerk.dead-letters"};
    std::string const value(1'100'000, 'x');
    event_record record;
    record.topic = topic;
    record.key = "user_1";
    record.value = value;
    REQUIRE(dead.publish(record, {dead_letter_reason::unusable_body, "", envelope_fault::not_json}));
    auto const published = kafka.records("clerk.dead-letters");
    REQUIRE(published.size() == 1);
    CHECK(published[0].value.empty());
}

TEST_CASE("dead letter: one too large for the topic is published without its body [I8]")
{
    mock_kafka kafka;
    kafka_dead_letters dead{client_of(kafka), "clerk.dead-letters"};
    event_record record;
    record.topic = topic;
    record.offset = 42;
    record.key = "user_1";
    record.value = "not json";
    constexpr int message_too_large = 10;
    kafka.refuse_next_produces(message_too_large, 1);
    REQUIRE(dead.publish(record, {dead_letter_reason::unusable_body, "", envelope_fault::not_json}));
    auto const published = kafka.records("clerk.dead-letters");
    REQUIRE(published.size() == 1);
    CHECK(published[0].value.empty());
    CHECK(published[0].headers.at("dlq_offset") == "42");
}
