// The worker's configuration: what is rejected at the start, and the message.

#include "common/kafka/assignment_strategy.hpp"
#include "worker/config.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace clerk_strapi;

namespace
{

constexpr int debian_12 = 0x020002ff;
constexpr int last_broken = 0x020600ff;
constexpr int first_sound = 0x020601ff;
constexpr int debian_13 = 0x020800ff;

// The message of a start with this strategy; empty: no fault.
std::string refusal_of(std::string const& strategy)
{
    config_source source{program::worker,
        {{"KAFKA_BROKERS", "kafka:9092"}, {"DATABASE_URL", "postgres://strapi@db/strapi"},
            {"KAFKA_PARTITION_ASSIGNMENT_STRATEGY", strategy}}};
    try {
        static_cast<void>(worker::load_config(source, {}));
        return {};
    } catch (config_error const& error) {
        return error.what();
    }
}

}

TEST_CASE("assignment strategy: accepts eager ones with every librdkafka, alone and together")
{
    for (auto const* const strategy : {"range", "roundrobin", "range,roundrobin", " range , roundrobin "}) {
        CHECK_FALSE(kafka::strategy_fault(strategy, debian_12));
        CHECK_FALSE(kafka::strategy_fault(strategy, debian_13));
    }
    CHECK(refusal_of("range").empty());
}

TEST_CASE("assignment strategy: rejects cooperative-sticky before librdkafka 2.6.1, with the fix")
{
    CHECK_FALSE(kafka::strategy_fault("cooperative-sticky", first_sound));
    CHECK_FALSE(kafka::strategy_fault("cooperative-sticky", debian_13));
    CHECK(kafka::strategy_fault("cooperative-sticky", last_broken));
    auto const fault = kafka::strategy_fault("cooperative-sticky", debian_12).value_or("");
    for (auto const* const part : {"librdkafka 2.0.2", "100 % CPU", "2.6.1", "remove the variable"})
        CHECK(fault.find(part) != std::string::npos);
}

TEST_CASE("assignment strategy: rejects unknown, empty and mixed ones, naming the variable")
{
    for (auto const* const strategy : {"sticky", "Range", "range,cooperative", ",", "range;roundrobin"}) {
        CHECK(kafka::strategy_fault(strategy, debian_13).value_or("").find("must be range") == 0);
        CHECK(refusal_of(strategy).find("KAFKA_PARTITION_ASSIGNMENT_STRATEGY must be range") != std::string::npos);
    }
    CHECK(refusal_of("cooperative-sticky,range").find("KAFKA_PARTITION_ASSIGNMENT_STRATEGY cannot mix")
        != std::string::npos);
}
