#pragma once

// Helpers for the tests of kafka_event_source: settings for the mock cluster, a publisher, waits with a deadline.

#include "tests/support/mock_kafka.hpp"
#include "worker/consume/event_source.hpp"

#include "common/event/cloud_event.hpp"
#include "common/kafka/waiting_producer.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <functional>
#include <string>
#include <thread>
#include <vector>

namespace clerk_strapi::tests
{

using namespace std::chrono_literals;
using namespace worker;

inline constexpr auto topic = "clerk.user-events";
inline constexpr auto patience = 60s; // a group of the mock cluster forms in three seconds, later on a busy machine

inline kafka::client_settings client_of(mock_kafka const& kafka) { return {kafka.brokers(), "test", {}}; }

inline source_settings settings_of(
    mock_kafka const& kafka, std::size_t batch_records = 500, std::string group = "group")
{
    source_settings settings;
    settings.client = client_of(kafka);
    settings.group_id = std::move(group);
    settings.topic = topic;
    settings.batch_records = batch_records;
    return settings;
}

inline position_lookup nothing_known()
{
    return [](std::string const&) { return std::vector<partition_position>{}; };
}

class publisher
{
public:
    explicit publisher(mock_kafka const& kafka)
        : producer_{client_of(kafka), {}}
    {
    }

    void publish(std::string const& key, int first, int count)
    {
        for (auto i = first; i < first + count; ++i) {
            auto const value = std::to_string(i);
            kafka::header const headers[] = {{cloud_event::id, value}};
            REQUIRE(producer_.publish_and_wait({topic, key, value, headers}, 10s) == kafka::published::persisted);
        }
    }

private:
    kafka::waiting_producer producer_;
};

// Polls until there are enough records, or the time is over.
inline std::vector<event_record> read(kafka_event_source& source, std::size_t count)
{
    std::vector<event_record> all;
    auto const until = std::chrono::steady_clock::now() + patience;
    while (all.size() < count && std::chrono::steady_clock::now() < until) {
        for (auto& record : source.poll(50ms))
            all.push_back(std::move(record));
    }
    return all;
}

inline std::vector<std::string> values_of(std::vector<event_record> const& records)
{
    std::vector<std::string> values;
    for (auto const& record : records)
        values.emplace_back(record.value.value_or(""));
    return values;
}

inline std::vector<std::string> numbers(int first, int count)
{
    std::vector<std::string> values;
    for (auto i = first; i < first + count; ++i)
        values.push_back(std::to_string(i));
    return values;
}

inline bool becomes_true(std::function<bool()> const& condition)
{
    auto const until = std::chrono::steady_clock::now() + patience;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > until) return false;
        std::this_thread::yield();
    }
    return true;
}

}
