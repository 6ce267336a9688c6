#pragma once

// The set-based statements, written for one site's names. One parameter a column, one array element a user.
// Each is prepared once a connection under the name it has here.

#include "common/postgres/quoting.hpp"
#include "worker/decide/strapi_schema.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace clerk_strapi::worker
{

enum class profile_status {
    draft, // draft-and-publish types get the draft alone, as the seed writes it
    published, // draft and published, with one document id
};

struct sql_settings
{
    std::string database_schema{"public"}; // where Strapi's tables live
    std::string time_zone{"UTC"}; // the Strapi process's: its timestamps are local time
    profile_status profiles{profile_status::draft};
};

struct statement
{
    std::string name;
    std::string text;
};

// Statements that every site shares; names are used by strapi_store alone.
[[nodiscard]] std::vector<statement> user_statements(strapi_schema const& schema, sql_settings const& settings);
// Statements of one profile type; their names end in _<index>.
[[nodiscard]] std::vector<statement> profile_statements(
    profile_type const& profile, std::size_t index, std::string const& default_locale, sql_settings const& settings);

// Which of these users' rows (an array literal of ids) have anything to them that we did not write: relations besides
// the role and the profiles of ours, or columns that we do not know. Not prepared: a site may forbid us some tables.
[[nodiscard]] std::string content_query(
    strapi_schema const& schema, std::string const& database_schema, std::string const& ids);

using postgres::quoted_identifier;
using postgres::quoted_literal;

// Settings of one transaction (SET LOCAL: nothing outlives it, so a session pooler is safe). Without sequential
// scans, and merge joins that read whole indexes, statements planned while tables were empty stay right when they are
// full: PostgreSQL keeps a prepared statement's plan. (The penalty on scans would also wake the JIT compiler, which
// costs more than all else here.) Waits are bounded, also the one for us: a worker that froze, or whose machine is
// gone, holds its locks for seconds, not for the hours that TCP would wait.
inline constexpr auto transaction_settings = "set local enable_seqscan = off; set local enable_mergejoin = off; set "
                                             "local jit = off; set local lock_timeout = '5s'; "
                                             "set local statement_timeout = '30s'; set local "
                                             "idle_in_transaction_session_timeout = '10s'; set local "
                                             "synchronous_commit = on";
// Whoever says nothing for longer than a statement may take is not there any more, whatever TCP thinks of it.
inline constexpr std::chrono::seconds silence_max{45};

}
