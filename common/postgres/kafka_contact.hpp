#pragma once

// clerk_sync.kafka_contact: which ways to Kafka worked (common/kafka/contact_fingerprint.hpp). A table or a right that
// is missing switches this feature off and nothing else.

#include "common/event/sha256.hpp"
#include "common/postgres/session.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace clerk_strapi::postgres
{

// Inserts today's row unless it is there. Needs INSERT on the column fingerprint and no other right.
void record_kafka_contact(pqxx::work& work, sha256_digest const& fingerprint);
// True: this way worked within the last 90 days, for which the worker keeps rows. Needs SELECT on the column
// fingerprint.
[[nodiscard]] bool is_kafka_contact_recorded(pqxx::work& work, sha256_digest const& fingerprint);
// Removes rows older than 90 days, so that ways that are gone do not stay for ever.
void remove_old_kafka_contacts(pqxx::work& work);

// What an operator must do when the table is missing or `grant` is ("SELECT ... ON ... TO ..."); nothing when the
// database is only unavailable, which passes.
[[nodiscard]] std::optional<std::string> kafka_contact_advice(work_result const& result, std::string_view grant);

}
