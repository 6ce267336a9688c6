#pragma once

// Whether ingest may be ready, as far as Kafka is concerned. Pure: what is known goes in, the answer comes out.
//
//   R1 Ready once the brokers have answered and all topics were found. From then on always: an outage later takes no
//   pod
//      away.
//   R2 An ingest that the brokers have never answered is ready after 20 s if the database records that exactly this way
//      to Kafka worked before, and sign-in is configured. Why the brokers do not answer does not matter: after a
//      restart during an outage sign-in works, and webhooks get the same 503 as before. From then on always.
//   R3 Otherwise not, however long. A rollout with a wrong address, password or topic name takes no good pod away.

#include <chrono>

namespace clerk_strapi::ingest
{

inline constexpr std::chrono::seconds contact_wait{20}; // R2

enum class contact_record {
    unknown, // not looked up, or the database could not be asked
    absent,
    present,
};

struct kafka_view
{
    bool brokers_answered{false}; // at least once since the start
    bool topics_found{false}; // all that this configuration needs, at least once since the start
    contact_record record{contact_record::unknown};
    bool sign_in_configured{false};
    std::chrono::steady_clock::duration since_start{};
};

enum class kafka_readiness {
    no_contact, // the brokers have not answered yet
    topics_missing, // they have, and a topic is missing
    ready_by_record, // R2
    ready, // R1
};

[[nodiscard]] constexpr bool is_ready(kafka_readiness state)
{
    return state == kafka_readiness::ready || state == kafka_readiness::ready_by_record;
}

[[nodiscard]] constexpr kafka_readiness next_readiness(kafka_readiness now, kafka_view const& seen)
{
    if (now == kafka_readiness::ready || seen.topics_found) return kafka_readiness::ready;
    if (now == kafka_readiness::ready_by_record) return now;
    if (seen.brokers_answered) return kafka_readiness::topics_missing;
    bool const may_start_without = seen.sign_in_configured && seen.record == contact_record::present;
    if (may_start_without && seen.since_start >= contact_wait) return kafka_readiness::ready_by_record;
    return kafka_readiness::no_contact;
}

// Only then is the record worth a query.
[[nodiscard]] constexpr bool needs_record(kafka_readiness now, kafka_view const& seen)
{
    return now == kafka_readiness::no_contact && seen.sign_in_configured && seen.since_start >= contact_wait;
}

}
