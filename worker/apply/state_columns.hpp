#pragma once

// The columns of clerk_sync.user_state that every batch reads and writes. The statements of state_sql and both
// directions of state_rows are made from this one table, so they cannot differ in a column or in the order.

#include "common/postgres/sql_array.hpp"
#include "worker/decide/fold.hpp"

#include <array>
#include <cstddef>
#include <string>

#include <pqxx/pqxx>

namespace clerk_strapi::worker
{

// How a column's value is passed: as it is, as hexadecimal text (bytea), or as the text of an array (text[]).
enum class column_form { plain, digest, list };

struct state_column
{
    char const* name;
    char const* array_type; // of the statement's parameter: one element per user
    column_form form;
    void (*read)(pqxx::field const& field, user_case& user, std::string const& mapping_hash);
    void (*write)(postgres::sql_array& values, user_case const& user, std::string const& mapping_hash);
};

inline constexpr std::size_t state_column_count = 21;
extern std::array<state_column, state_column_count> const state_columns; // the first is the key, clerk_id

}
