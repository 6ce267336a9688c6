#pragma once

// Statements with parameters, for libpqxx 6 (Debian 12) and 7 (Debian 13), whose calls differ. A parameter is text, a
// number, a flag or a null pointer (NULL). Throws the exceptions of libpqxx.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <pqxx/pqxx>

namespace clerk_strapi::postgres
{

// The type of a transaction's connection, on which statements are prepared.
#if PQXX_VERSION_MAJOR >= 7
using any_connection = pqxx::connection;
#else
using any_connection = pqxx::connection_base;
#endif

template <class... Arguments>
pqxx::result exec(pqxx::transaction_base& work, std::string const& sql, Arguments&&... arguments)
{
#if PQXX_VERSION_MAJOR >= 7
    return work.exec(sql, pqxx::params{std::forward<Arguments>(arguments)...});
#else
    return work.exec_params(sql, std::forward<Arguments>(arguments)...);
#endif
}

// `name` is a statement that was prepared on this connection.
template <class... Arguments>
pqxx::result exec_prepared(pqxx::transaction_base& work, std::string const& name, Arguments&&... arguments)
{
#if PQXX_VERSION_MAJOR >= 7
    return work.exec(pqxx::prepped{name}, pqxx::params{std::forward<Arguments>(arguments)...});
#else
    return work.exec_prepared(name, std::forward<Arguments>(arguments)...);
#endif
}

// The row of a statement that always returns exactly one.
template <class... Arguments>
pqxx::row exec_one(pqxx::transaction_base& work, std::string const& sql, Arguments&&... arguments)
{
    auto const rows = exec(work, sql, std::forward<Arguments>(arguments)...);
    if (rows.size() != 1) throw pqxx::unexpected_rows{"expected one row, got " + std::to_string(rows.size())};
    return rows[0];
}

template <class... Arguments>
pqxx::row exec_prepared_one(pqxx::transaction_base& work, std::string const& name, Arguments&&... arguments)
{
    auto const rows = exec_prepared(work, name, std::forward<Arguments>(arguments)...);
    if (rows.size() != 1) throw pqxx::unexpected_rows{"expected one row, got " + std::to_string(rows.size())};
    return rows[0];
}

// COPY into a table on the connection's search path; end it with complete().
inline pqxx::stream_to copy_into(
    pqxx::transaction_base& work, std::string const& table, std::vector<std::string> const& columns)
{
#if PQXX_VERSION_MAJOR >= 7
    std::string names;
    for (auto const& column : columns)
        names += (names.empty() ? "" : ",") + work.quote_name(column);
    return pqxx::stream_to::raw_table(work, work.quote_name(table), names);
#else
    return pqxx::stream_to{work, table, columns};
#endif
}

}
