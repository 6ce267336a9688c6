#pragma once

// The set-based statements with one site's names: one parameter per column, one array element per user. Each is
// prepared once per connection.

#include "common/postgres/quoting.hpp"
#include "worker/apply/store_settings.hpp"
#include "worker/decide/strapi_schema.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace clerk_strapi::worker
{

struct statement
{
    std::string name;
    std::string text;
};

// For every site.
[[nodiscard]] std::vector<statement> user_statements(strapi_schema const& schema, sql_settings const& settings);
// For one profile type. The names end in _<index>.
[[nodiscard]] std::vector<statement> profile_statements(
    profile_type const& profile, std::size_t index, std::string const& default_locale, sql_settings const& settings);

// Rule C8 of worker/decide/README.md: which of these rows (an array literal of ids) have content. Not prepared, because
// the worker's role may lack the right to read some tables.
[[nodiscard]] std::string content_query(
    strapi_schema const& schema, std::string const& database_schema, std::string const& ids);

using postgres::quoted_identifier;
using postgres::quoted_literal;

// Settings of one transaction (SET LOCAL: nothing outlives it, so a session pooler is safe). PostgreSQL keeps a
// prepared statement's plan: without sequential scans, and merge joins that read whole indexes, a plan made for empty
// tables is good for full ones. The penalty on scans would also start the JIT compiler, which costs more than the
// batch. Waits are bounded, also for this worker: a frozen one holds its locks for seconds, not for the hours until TCP
// notices.
inline constexpr auto transaction_settings = "set local enable_seqscan = off; set local enable_mergejoin = off; set "
                                             "local jit = off; set local lock_timeout = '5s'; "
                                             "set local statement_timeout = '30s'; set local "
                                             "idle_in_transaction_session_timeout = '10s'; set local "
                                             "synchronous_commit = on";
// A server that is silent for longer than a statement may take is gone, even if TCP has not noticed.
inline constexpr std::chrono::seconds silence_max{45};

}
