// The reason that the programs report when no broker is reachable.

#include "common/kafka/client_errors.hpp"

#include <doctest/doctest.h>
#include <librdkafka/rdkafka.h>

#include <vector>

using namespace clerk_strapi::kafka;
using namespace std::chrono_literals;

namespace
{

client_settings settings()
{
    return {"kafka:9092", "test",
        {{"security.protocol", "SASL_SSL"}, {"sasl.mechanism", "PLAIN"}, {"sasl.username", "the-user"},
            {"sasl.password", "the-password"}, {"ssl.key.pem", "the-key"}}};
}

struct reported
{
    int code;
    char const* text;
};
constexpr reported refused_login{RD_KAFKA_RESP_ERR__AUTHENTICATION, "kafka:9092/1: Authentication failed"};
constexpr reported bad_certificate{RD_KAFKA_RESP_ERR__SSL, "kafka:9092/1: certificate verify failed"};
constexpr reported unknown_name{RD_KAFKA_RESP_ERR__RESOLVE, "kafka:9092/1: Failed to resolve"};
constexpr reported refused_connection{RD_KAFKA_RESP_ERR__TRANSPORT, "kafka:9092/1: Connection refused"};
constexpr reported some_timeout{RD_KAFKA_RESP_ERR__TIMED_OUT, "kafka:9092/1: 1 request(s) timed out"};
constexpr reported all_down{RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, "1/1 brokers are down"};

}

TEST_CASE("Kafka errors: keep the reason that explains most, whatever follows")
{
    struct
    {
        char const* name;
        std::vector<reported> reports;
        char const* expected;
    } const table[] = {
        {"none", {}, ""},
        {"only the sum", {all_down}, "brokers are down"},
        {"connection", {all_down, refused_connection, all_down}, "Connection refused"},
        {"connection over timeout", {refused_connection, some_timeout}, "Connection refused"},
        {"name", {unknown_name, refused_connection}, "Failed to resolve"},
        {"certificate", {bad_certificate, unknown_name, all_down}, "certificate"},
        {"login", {refused_connection, refused_login, bad_certificate, all_down}, "Authentication failed"},
        {"the last of equal ones", {unknown_name, {RD_KAFKA_RESP_ERR__RESOLVE, "other:9092: No such name"}}, "other"},
    };
    for (auto const& row : table) {
        CAPTURE(row.name);
        client_errors errors{settings()};
        for (auto const& each : row.reports)
            errors.keep(each.code, each.text);
        std::string_view const expected = row.expected;
        CHECK(errors.reason().empty() == expected.empty());
        CHECK(errors.reason().find(expected) != std::string::npos);
    }
}

TEST_CASE("Kafka errors: replace an old reason, and clear it after a broker's answer")
{
    client_errors errors{settings()};
    auto const start = client_errors::clock::now();
    errors.keep(refused_login.code, refused_login.text, start);
    errors.keep(refused_connection.code, refused_connection.text, start + 119s);
    CHECK(errors.reason().find("Authentication") != std::string::npos);
    errors.keep(refused_connection.code, refused_connection.text, start + 120s);
    CHECK(errors.reason().find("refused") != std::string::npos);
    errors.clear();
    CHECK(errors.reason().empty());
}

TEST_CASE("Kafka errors: no reason contains a secret, a user name or librdkafka's counters [I6]")
{
    client_errors errors{settings()};
    errors.keep(refused_login.code,
        "sasl_ssl://kafka:9092/1: the-user/the-password is not the-key, the-user (after 3ms in state AUTH_REQ, 2 "
        "identical error(s) suppressed)");
    auto const reason = errors.reason();
    CHECK(reason.starts_with("sasl_ssl://kafka:9092/1: [redacted]/[redacted] is not [redacted], [redacted]; check "));
    CHECK(reason.find("KAFKA_SASL_PASSWORD") != std::string::npos);
    errors.keep(refused_login.code, "sasl_ssl://the-user:9092/1: no");
    CHECK(errors.reason().starts_with("sasl_ssl://the-user:9092/1: no")); // a host, not the user
}
