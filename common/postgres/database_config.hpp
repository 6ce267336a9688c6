#pragma once

// Which PostgreSQL is Strapi's: DATABASE_URL, or Strapi's own DATABASE_ variables. Both programs read it alike.

#include "common/postgres/session.hpp"
#include "common/config/config_source.hpp"

#include <optional>
#include <string>

namespace clerk_strapi::postgres
{

enum class database_need {
    required, // nothing set is a fault
    optional, // nothing set is an answer
};

// Where to connect, asked anew for each connection: a password from a file may be another one by then, and what
// cannot be read then changes nothing. Empty: nothing is set, or a fault was noted in `source`. `program` is the
// application name that the server shows. What is returned may be called from any thread.
[[nodiscard]] std::optional<session::conninfo_source> read_database_config(
    config_source& source, std::string const& program, database_need need);

}
