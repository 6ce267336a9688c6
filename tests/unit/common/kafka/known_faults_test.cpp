// Which versions of librdkafka have a known fault for which configuration.

#include "common/kafka/known_faults.hpp"

#include <doctest/doctest.h>

using namespace clerk_strapi::kafka;

namespace
{

library const debian_12{0x020002ff, "2.0.2", "gzip,snappy,ssl,sasl,regex,lz4,sasl_gssapi,sasl_plain,sasl_scram"};
library const before_fix{0x020600ff, "2.6.0", "ssl,sasl_scram,sasl_oauthbearer,http,oidc"};
library const fixed{0x020601ff, "2.6.1", "ssl,sasl_scram,sasl_oauthbearer,http,oidc"};

properties login(std::string const& mechanism)
{
    return {{"security.protocol", "SASL_SSL"}, {"sasl.mechanism", mechanism}};
}

}

TEST_CASE("librdkafka: a fault is reported only for the affected versions and settings")
{
    struct
    {
        char const* name;
        library const& in_use;
        properties configured;
        char const* expected; // part of the only sentence; empty: no sentence
    } const table[] = {
        {"SCRAM-SHA-256, Debian 12", debian_12, login("SCRAM-SHA-256"), "Kafka 4 rejects every SCRAM login"},
        {"SCRAM-SHA-512, last broken", before_fix, login("SCRAM-SHA-512"), "Kafka 4 rejects every SCRAM login"},
        {"SCRAM, first fixed", fixed, login("SCRAM-SHA-512"), ""},
        {"letter case of librdkafka's enums", debian_12,
            {{"security.protocol", "sasl_plaintext"}, {"sasl.mechanisms", "scram-sha-256"}}, "SCRAM"},
        {"a mechanism that is not used", debian_12, {{"security.protocol", "SSL"}, {"sasl.mechanism", "SCRAM-SHA-256"}},
            ""},
        {"PLAIN", debian_12, login("PLAIN"), ""},
        {"no login", debian_12, {}, ""},
        {"OAUTHBEARER without OIDC", debian_12, login("OAUTHBEARER"), "built without OIDC"},
        {"OAUTHBEARER with OIDC", before_fix, login("OAUTHBEARER"), ""},
    };
    for (auto const& row : table) {
        CAPTURE(row.name);
        auto const sentences = known_faults(row.in_use, row.configured);
        std::string_view const expected = row.expected;
        REQUIRE(sentences.size() == (expected.empty() ? 0 : 1));
        if (expected.empty()) continue;
        CHECK(sentences[0].find(expected) != std::string::npos);
        CHECK(sentences[0].starts_with("librdkafka " + row.in_use.name + ": "));
        CHECK(sentences[0].find("Debian 13") != std::string::npos); // a fix
    }
}

TEST_CASE("librdkafka: login advice names the library only when it can be the cause")
{
    CHECK(advice_for_login(debian_12, login("SCRAM-SHA-256")).find("2.6.1") != std::string::npos);
    CHECK(advice_for_login(debian_12, login("PLAIN")).find("2.6.1") == std::string::npos);
    CHECK(advice_for_login(fixed, login("SCRAM-SHA-256")).find("2.6.1") == std::string::npos);
    CHECK(advice_for_login(fixed, login("PLAIN")).find("KAFKA_SASL_PASSWORD") != std::string::npos);
}

TEST_CASE("librdkafka: the loaded library has a version and features")
{
    auto const in_use = loaded_library();
    CHECK(in_use.version >= 0x020002ff);
    CHECK_FALSE(in_use.name.empty());
    CHECK(in_use.features.find("sasl_scram") != std::string::npos);
}
