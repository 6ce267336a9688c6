#pragma once

// Reads what Strapi stored about itself (strapi_database_schema, strapi_core_store_settings), and which columns exist
// (PostgreSQL's catalogue). Input of decide/strapi_schema.

#include "worker/apply/strapi_sql.hpp"
#include "worker/decide/strapi_schema.hpp"

#include <string>

#include <pqxx/pqxx>

namespace clerk_strapi::worker
{

// What the worker needs in the database besides Strapi's own tables.
struct database_facts
{
    bool migrated{false}; // clerk_sync fits this version, and the unique index on clerk_id exists
    bool time_zone_known{false};
    std::string fingerprint; // changes with Strapi's stored schema and with the columns
};

[[nodiscard]] schema_texts read_schema_texts(pqxx::transaction_base& transaction, sql_settings const& settings);
[[nodiscard]] database_facts read_database_facts(pqxx::transaction_base& transaction, sql_settings const& settings);
// The fingerprint alone: one cheap query, to notice that Strapi changed under a running worker.
[[nodiscard]] std::string read_fingerprint(pqxx::transaction_base& transaction, sql_settings const& settings);

}
