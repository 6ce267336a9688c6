#pragma once

// Identifies one Kafka configuration: brokers, security protocol and topics. clerk_sync.kafka_contact records the
// configurations that worked. A digest, so that all keys of the table have one size. Pure.

#include "common/event/sha256.hpp"
#include "common/kafka/client_config.hpp"

#include <string>

namespace clerk_strapi::kafka
{

// The topics that ingest writes to when sign-in is configured. The worker has the same names.
struct contact_topics
{
    std::string user_events;
    std::string provisioning;
    std::string dead_letters;
};

[[nodiscard]] sha256_digest contact_fingerprint(client_settings const& client, contact_topics const& topics);

}
