#include "common/kafka/known_faults.hpp"

#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <limits>

namespace clerk_strapi::kafka
{
namespace
{

constexpr auto newer_library = "run the shipped image, Debian 13 or another librdkafka of at least 2.6.1";
constexpr auto any_version = std::numeric_limits<int>::max();

std::string value_of(properties const& configured, std::string const& property)
{
    auto const found = configured.find(property);
    std::string value = found == configured.end() ? "" : found->second;
    std::transform(value.begin(), value.end(), value.begin(), [](unsigned char c) { return std::tolower(c); });
    return value;
}

// librdkafka has two names for the mechanism, and uses it only with a SASL protocol.
bool logs_in_by(properties const& configured, std::string_view mechanism)
{
    auto const named = [&](char const* property) { return value_of(configured, property).starts_with(mechanism); };
    return value_of(configured, "security.protocol").starts_with("sasl")
        && (named("sasl.mechanism") || named("sasl.mechanisms"));
}

bool uses_scram(library const&, properties const& configured) { return logs_in_by(configured, "scram-"); }

bool lacks_oidc(library const& in_use, properties const& configured)
{
    return logs_in_by(configured, "oauthbearer") && in_use.features.find("oidc") == std::string::npos;
}

struct known_fault
{
    int fixed_in; // versions below this one are affected
    bool (*applies)(library const&, properties const&);
    char const* breaks;
    char const* alternative;
};

constexpr known_fault table[] = {
    {0x020601ff, uses_scram, "before 2.6.1 it doubles the client's nonce, so Kafka 4 rejects every SCRAM login",
        "or use SASL PLAIN over TLS, or Kafka 3.9 brokers"},
    {any_version, lacks_oidc, "it is built without OIDC, so an OAUTHBEARER login never has a token",
        "or use another KAFKA_SASL_MECHANISM"},
};

bool is_affected(known_fault const& fault, library const& in_use, properties const& configured)
{
    return in_use.version < fault.fixed_in && fault.applies(in_use, configured);
}

std::string sentence_of(known_fault const& fault, library const& in_use)
{
    return "librdkafka " + in_use.name + ": " + fault.breaks + "; " + newer_library + ", " + fault.alternative;
}

}

library loaded_library()
{
    std::array<char, 512> features{};
    auto bytes = features.size();
    auto* const conf = rd_kafka_conf_new();
    if (rd_kafka_conf_get(conf, "builtin.features", features.data(), &bytes) != RD_KAFKA_CONF_OK) features[0] = '\0';
    rd_kafka_conf_destroy(conf);
    return {rd_kafka_version(), rd_kafka_version_str(), features.data()};
}

std::vector<std::string> known_faults(library const& in_use, properties const& configured)
{
    std::vector<std::string> sentences;
    for (auto const& fault : table) {
        if (is_affected(fault, in_use, configured)) sentences.push_back(sentence_of(fault, in_use));
    }
    return sentences;
}

std::string advice_for_login(library const& in_use, properties const& configured)
{
    std::string advice = "check KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD";
    for (auto const& sentence : known_faults(in_use, configured)) // all known faults concern logins
        return advice + "; if they are right, the library is the cause: " + sentence;
    return advice;
}

}
