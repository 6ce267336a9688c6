#pragma once

// clerk_sync.kafka_contact: which Kafka configurations worked (common/kafka/contact_fingerprint.hpp). A missing table
// or permission disables this feature only.

#include "common/event/sha256.hpp"
#include "common/postgres/session.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace clerk_strapi::postgres
{

// Inserts today's row unless it exists. Needs only INSERT on the column fingerprint.
void record_kafka_contact(pqxx::work& work, sha256_digest const& fingerprint);
// True: this configuration worked within the last 90 days, for which the worker keeps rows. Needs SELECT on the column
// fingerprint.
[[nodiscard]] bool is_kafka_contact_recorded(pqxx::work& work, sha256_digest const& fingerprint);
// Removes rows older than 90 days.
void remove_old_kafka_contacts(pqxx::work& work);

// What an operator must do when the table or the permission `grant` ("SELECT ... ON ... TO ...") is missing; nothing
// when the database is only unavailable.
[[nodiscard]] std::optional<std::string> kafka_contact_advice(work_result const& result, std::string_view grant);

}
