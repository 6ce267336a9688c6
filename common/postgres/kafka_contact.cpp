#include "common/postgres/kafka_contact.hpp"

#include "common/postgres/statement.hpp"

namespace clerk_strapi::postgres
{

// Without a conflict target: naming one would need SELECT on its columns.
void record_kafka_contact(pqxx::work& work, sha256_digest const& fingerprint)
{
    exec(work, "insert into clerk_sync.kafka_contact (fingerprint) values (decode($1, 'hex')) on conflict do nothing",
        hex_of(fingerprint));
}

bool is_kafka_contact_recorded(pqxx::work& work, sha256_digest const& fingerprint)
{
    auto const row =
        exec_one(work, "select exists (select 1 from clerk_sync.kafka_contact where fingerprint = decode($1, 'hex'))",
            hex_of(fingerprint));
    return row[0].as<bool>();
}

void remove_old_kafka_contacts(pqxx::work& work)
{
    work.exec("delete from clerk_sync.kafka_contact where seen_on < current_date - 90");
}

std::optional<std::string> kafka_contact_advice(work_result const& result, std::string_view grant)
{
    if (result.outcome != work_outcome::mismatched) return std::nullopt;
    if (result.sqlstate == "42501")
        return "a permission is missing: run schemas/sql/grants.sql as the owner, or GRANT " + std::string{grant};
    return "clerk_sync is older than this version: run `clerk-worker migrate`, then schemas/sql/grants.sql";
}

}
