#include "common/kafka/contact_fingerprint.hpp"

#include <algorithm>

namespace clerk_strapi::kafka
{
namespace
{

// librdkafka does not distinguish SASL_SSL from sasl_ssl.
std::string security_protocol_of(client_settings const& client)
{
    auto const found = client.extra.find("security.protocol");
    std::string text = found == client.extra.end() ? "plaintext" : found->second;
    std::transform(text.begin(), text.end(), text.begin(),
        [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return text;
}

}

// No part can contain a line break: the brokers are checked at start, and topic names have none.
sha256_digest contact_fingerprint(client_settings const& client, contact_topics const& topics)
{
    return sha256(client.brokers + '\n' + security_protocol_of(client) + '\n' + topics.user_events + '\n'
        + topics.provisioning + '\n' + topics.dead_letters);
}

}
