#pragma once

// Whether Kafka's state allows ingest to be ready. Pure.
//
//   R1 Ready once the brokers have answered and all topics were found. It then stays ready: a later outage of Kafka
//      removes no pod.
//   R2 If no broker has answered since the start, ready after 20 s if the database records that exactly this Kafka
//      configuration worked before, and sign-in is configured. The cause of the outage does not matter: sign-in works
//      after a restart during an outage, and webhooks get 503 as before. It then stays ready.
//   R3 Otherwise not ready, without a time limit. A rollout with a wrong address, password or topic name replaces no
//      working pod.

#include <chrono>

namespace clerk_strapi::ingest
{

inline constexpr std::chrono::seconds contact_wait{20}; // R2

enum class contact_record {
    unknown, // not looked up, or the database was unavailable
    absent,
    present,
};

struct kafka_view
{
    bool brokers_answered{false}; // at least once since the start
    bool topics_found{false}; // all required topics, at least once since the start
    contact_record record{contact_record::unknown};
    bool sign_in_configured{false};
    std::chrono::steady_clock::duration since_start{};
};

enum class kafka_readiness {
    no_contact, // the brokers have not answered yet
    topics_missing, // the brokers have answered, and a topic is missing
    ready_by_record, // R2
    ready, // R1
};

[[nodiscard]] constexpr bool is_ready(kafka_readiness state)
{
    return state == kafka_readiness::ready || state == kafka_readiness::ready_by_record;
}

[[nodiscard]] constexpr kafka_readiness next_readiness(kafka_readiness now, kafka_view const& view)
{
    if (now == kafka_readiness::ready || view.topics_found) return kafka_readiness::ready;
    if (now == kafka_readiness::ready_by_record) return now;
    if (view.brokers_answered) return kafka_readiness::topics_missing;
    bool const may_start_without = view.sign_in_configured && view.record == contact_record::present;
    if (may_start_without && view.since_start >= contact_wait) return kafka_readiness::ready_by_record;
    return kafka_readiness::no_contact;
}

// The record is looked up only in this state.
[[nodiscard]] constexpr bool needs_record(kafka_readiness now, kafka_view const& view)
{
    return now == kafka_readiness::no_contact && view.sign_in_configured && view.since_start >= contact_wait;
}

}
