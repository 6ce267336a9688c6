#pragma once

// Names one way to Kafka: these brokers, this security protocol, these topics. clerk_sync.kafka_contact records the
// ways that worked. A digest, so that the table's keys have one size and both programs compare the same bytes. Pure.

#include "common/event/sha256.hpp"
#include "common/kafka/client_config.hpp"

#include <string>

namespace clerk_strapi::kafka
{

// The topics that an ingest with sign-in writes to; the worker reads them all and knows the same names.
struct contact_topics
{
    std::string user_events;
    std::string provisioning;
    std::string dead_letters;
};

[[nodiscard]] sha256_digest contact_fingerprint(client_settings const& client, contact_topics const& topics);

}
