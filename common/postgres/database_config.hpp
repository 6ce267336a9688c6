#pragma once

// Strapi's PostgreSQL by DATABASE_URL or by Strapi's own DATABASE_ variables. Both programs use this reader.

#include "common/config/config_source.hpp"
#include "common/postgres/session.hpp"

#include <optional>
#include <string>

namespace clerk_strapi::postgres
{

enum class database_need {
    required, // no setting is a fault
    optional, // no setting means: no database
};

// Returns a function that is called for each new connection, because a password file may have changed by then;
// unreadable files keep the previous values. Nothing: no setting, or `source` recorded a fault. `program` is the
// application name that the server shows. The function may be called from any thread.
[[nodiscard]] std::optional<session::conninfo_source> read_database_config(
    config_source& source, std::string const& program, database_need need);

}
