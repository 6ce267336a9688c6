// KAFKA_BROKERS: which lists are accepted or rejected; and which Kafka configurations have the same fingerprint.

#include "common/kafka/broker_config.hpp"
#include "common/kafka/broker_list.hpp"
#include "common/kafka/contact_fingerprint.hpp"

#include <doctest/doctest.h>

namespace clerk_strapi::tests
{
namespace
{

kafka::client_settings client_of(std::string brokers, std::map<std::string, std::string> extra = {})
{
    return {std::move(brokers), "test", std::move(extra)};
}

kafka::contact_topics const topics{"events", "sights", "letters"};

}

TEST_CASE("broker list: accepts every address that librdkafka accepts, without blanks")
{
    struct
    {
        std::string_view text;
        std::string_view protocol;
        std::string_view list;
    } const table[] = {
        {"kafka:9092", "", "kafka:9092"},
        {"kafka-0.kafka.svc.cluster.local:9092,kafka_1:9093", "", "kafka-0.kafka.svc.cluster.local:9092,kafka_1:9093"},
        {" a:1 ,\tb:65535\n", "", "a:1,b:65535"},
        {"kafka", "", "kafka"}, // 9092
        {"10.0.0.1:9092", "", "10.0.0.1:9092"},
        {"[::1]:9092", "", "[::1]:9092"},
        {"[::1]", "", "[::1]"},
        {"[fe80::1%eth0]:9092", "", "[fe80::1%eth0]:9092"},
        {"::1", "", "::1"},
        {"2001:db8::7", "", "2001:db8::7"},
        {"a:1,a:1", "", "a:1,a:1"},
        {"a:1,", "", "a:1"},
        {"PLAINTEXT://a:1", "", "PLAINTEXT://a:1"},
        {"sasl_ssl://a:1,b:2", "SASL_SSL", "sasl_ssl://a:1,b:2"},
        {"SSL://a:1/", "ssl", "SSL://a:1/"},
        {"SSL://[::1]:1", "ssl", "SSL://[::1]:1"},
    };
    for (auto const& row : table) {
        CAPTURE(row.text);
        auto const list = kafka::check_broker_list(row.text, row.protocol);
        REQUIRE_MESSAGE(list.has_value(), list.error().what);
        CHECK(*list == row.list);
    }
}

TEST_CASE("broker list: rejects an invalid address, with the entry and the reason")
{
    struct
    {
        std::string_view text;
        std::string_view protocol;
        std::string_view reason;
    } const table[] = {
        {"nonsense:1:2", "", "entry 1 (\"nonsense:1:2\") has more than one colon"},
        {"a:1,b:2:3", "", "entry 2 (\"b:2:3\") has more than one colon"},
        {"", "", "is empty"},
        {",", "", "is empty"},
        {",a:1", "", "entry 1 (\"\") is empty"},
        {"a:1,,b:1", "", "entry 2 (\"\") is empty"},
        {"a:1, ,b:1", "", "entry 2 (\"\") is empty"},
        {"a:1,,", "", "entry 2 (\"\") is empty"},
        {":9092", "", "has no host"},
        {"a:", "", "has no port"},
        {"a:0", "", "has no port"},
        {"a:65536", "", "has no port"},
        {"a:99999999999999999999", "", "has no port"},
        {"a:-1", "", "has no port"},
        {"a:+1", "", "has no port"},
        {"a:0x10", "", "has no port"},
        {"a:9092x", "", "has no port"},
        {"a: 9092", "", "has no port"},
        {"a b:9092", "", "has no host name"},
        {"a:1 b:2", "", "has more than one colon"},
        {"a:1;b:2", "", "has more than one colon"},
        {"${KAFKA}:9092", "", "has no host name"},
        {"k\xc3\xa4"
         "fka:9092",
            "", "has no host name"},
        {"a/b:9092", "", "has no host name"},
        {"[::1:9092", "", "has brackets"},
        {"[]:9092", "", "has brackets"},
        {"[kafka]:9092", "", "has brackets"},
        {"[10.0.0.1]:9092", "", "has brackets"},
        {"::1]:9092", "", "has no host"},
        {"[::1]9092", "", "other than a port after its bracket"},
        {"[::1]:", "", "has no port"},
        {"[::1]:70000", "", "has no port"},
        {"http://a:1", "", "protocol that Kafka does not have"},
        {"://a:1", "", "protocol that Kafka does not have"},
        {"SSL://a:1", "", "another protocol than KAFKA_SECURITY_PROTOCOL (plaintext)"},
        {"a:1,PLAINTEXT://b:1", "SASL_SSL", "another protocol than KAFKA_SECURITY_PROTOCOL (sasl_ssl)"},
        {"SSL://", "ssl", "has no host name"},
    };
    for (auto const& row : table) {
        CAPTURE(row.text);
        auto const list = kafka::check_broker_list(row.text, row.protocol);
        REQUIRE(list.has_error());
        CHECK_MESSAGE(list.error().what.find(row.reason) != std::string::npos, list.error().what);
    }
}

TEST_CASE("broker list: never quotes a possible password [I6]")
{
    for (auto const* text : {"ada:hunter2@kafka:9092", "SASL_SSL://ada:hunter2@kafka:9092", "ada:hunter2,x@kafka:9092",
             "kafka:9092,ada:hunter2@kafka", "hunter2:1:2,a@b:1"}) {
        CAPTURE(text);
        auto const list = kafka::check_broker_list(text, "SASL_SSL");
        REQUIRE(list.has_error());
        CHECK(list.error().what.find("KAFKA_SASL_PASSWORD") != std::string::npos);
        CHECK(list.error().what.find("hunter2") == std::string::npos);
    }
}

TEST_CASE("KAFKA_BROKERS: both programs reject an invalid list and other broker variables")
{
    struct
    {
        environment values;
        std::string_view fault;
    } const table[] = {
        {{{"KAFKA_BROKERS", "nonsense:1:2"}}, "KAFKA_BROKERS must list brokers as host:port"},
        {{{"KAFKA_BROKERS", "SSL://a:1"}}, "KAFKA_BROKERS must list brokers as host:port"},
        {{{"KAFKA_BROKERS", "SSL://a:1"}, {"KAFKA_SECURITY_PROTOCOL", "ssl"}}, ""}, {{{"KAFKA_BROKERS", "a:1"}}, ""},
        {{}, ""}, // each program requires it in its own code
    };
    for (auto const reader : {program::ingest, program::worker}) {
        for (auto const& row : table) {
            config_source source{reader, row.values};
            auto const brokers = kafka::read_brokers(source, source.kafka_properties());
            CAPTURE(row.fault);
            CHECK(source.faults().empty() == row.fault.empty());
            if (row.fault.empty()) continue;
            CHECK(source.faults().at(0).starts_with(row.fault));
            CHECK(brokers.empty());
        }
    }
    for (auto const* property : {"bootstrap.servers", "metadata.broker.list"}) {
        auto const faults = kafka::check_properties({{property, "b:1"}});
        REQUIRE(faults.size() == 1);
        CHECK(faults[0].message.find("KAFKA_BROKERS") != std::string::npos);
    }
}

TEST_CASE("kafka contact: brokers, security protocol and topics determine the fingerprint")
{
    auto const one = kafka::contact_fingerprint(client_of("a:1,b:1"), topics);
    CHECK(kafka::contact_fingerprint(client_of("a:1,b:1", {{"security.protocol", "PLAINTEXT"}}), topics) == one);
    CHECK(kafka::contact_fingerprint(client_of("a:1,b:1", {{"linger.ms", "7"}}), topics) == one);

    CHECK(kafka::contact_fingerprint(client_of("b:1,a:1"), topics) != one);
    CHECK(kafka::contact_fingerprint(client_of("a:1"), topics) != one);
    CHECK(kafka::contact_fingerprint(client_of("a:1,b:1", {{"security.protocol", "ssl"}}), topics) != one);
    CHECK(kafka::contact_fingerprint(client_of("a:1,b:1"), {"other", "sights", "letters"}) != one);
    CHECK(kafka::contact_fingerprint(client_of("a:1,b:1"), {"events", "other", "letters"}) != one);
    CHECK(kafka::contact_fingerprint(client_of("a:1,b:1"), {"events", "sights", "other"}) != one);
    CHECK(kafka::contact_fingerprint(client_of("a:1,b:1"), {"sights", "events", "letters"}) != one);

    auto const tls = kafka::contact_fingerprint(client_of("a:1", {{"security.protocol", "sasl_ssl"}}), topics);
    CHECK(kafka::contact_fingerprint(client_of("a:1", {{"security.protocol", "SASL_SSL"}}), topics) == tls);
}

}
