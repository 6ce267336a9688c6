#pragma once

// Reads what Strapi stored about itself (strapi_database_schema, strapi_core_store_settings) and what is really
// there (PostgreSQL's catalogue), for core/strapi_schema to judge.

#include "worker/decide/strapi_schema.hpp"
#include "worker/apply/strapi_sql.hpp"

#include <string>

#include <pqxx/pqxx>

namespace clerk_strapi::worker
{

// What a worker needs of the database besides Strapi's own tables.
struct database_facts
{
    bool migrated{false}; // clerk_sync as this version needs it, and the unique index on clerk_id, are there
    bool time_zone_known{false};
    std::string fingerprint; // changes whenever Strapi stored another schema, or a column came or went
};

[[nodiscard]] schema_texts read_schema_texts(pqxx::transaction_base& transaction, sql_settings const& settings);
[[nodiscard]] database_facts read_database_facts(pqxx::transaction_base& transaction, sql_settings const& settings);
// The fingerprint alone: one cheap query, to notice that Strapi changed under a running worker.
[[nodiscard]] std::string read_fingerprint(pqxx::transaction_base& transaction, sql_settings const& settings);

}
