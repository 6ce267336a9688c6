#include "worker/apply/state_rows.hpp"

#include "common/postgres/sql_array.hpp"
#include "common/postgres/statement.hpp"
#include "worker/apply/state_columns.hpp"

namespace clerk_strapi::worker
{

namespace
{

using postgres::sql_array;

void read_state(pqxx::row const& row, user_case& user, std::string const& mapping_hash)
{
    user.state_stored = true;
    pqxx::row::size_type at = 0; // the statement selects the columns in this order
    for (auto const& column : state_columns)
        column.read(row[at++], user, mapping_hash);
    user.before.revived_at_ms = row[at].as<std::int64_t>(0);
}

// The parameters of insert_states or update_states.
struct state_arrays
{
    std::array<sql_array, state_column_count> columns;
    bool any{false};

    void add(user_case const& user, std::string const& mapping_hash)
    {
        for (std::size_t i = 0; i < state_column_count; ++i)
            state_columns[i].write(columns[i], user, mapping_hash);
        any = true;
    }

    void write(pqxx::work& transaction, char const* statement) const
    {
        if (!any) return;
        std::apply(
            [&](auto const&... column) { postgres::exec_prepared(transaction, statement, column.str()...); }, columns);
    }
};

}

void load_states(
    pqxx::work& transaction, std::string const& mapping_hash, user_cases& cases, std::set<std::string> const& also_lock)
{
    sql_array ids;
    for (auto const& [id, user] : cases)
        ids.add(id);
    for (auto const& id : also_lock) {
        if (!cases.contains(id)) ids.add(id);
    }
    for (auto const& row : postgres::exec_prepared(transaction, "lock_states", ids.str())) {
        auto const user = cases.find(row[0].as<std::string>());
        if (user != cases.end()) read_state(row, user->second, mapping_hash);
    }
}

void load_states_now(
    pqxx::work& transaction, std::string const& mapping_hash, user_cases& cases, std::vector<user_case*> const& users)
{
    sql_array ids;
    for (auto const* const user : users)
        ids.add(user->clerk_id);
    for (auto const& row : postgres::exec_prepared(transaction, "lock_states_now", ids.str()))
        read_state(row, cases.find(row[0].as<std::string>())->second, mapping_hash);
}

void store_states(pqxx::work& transaction, std::string const& mapping_hash, user_cases const& cases)
{
    state_arrays fresh, known;
    for (auto const& [id, user] : cases) {
        if (user.state_changed()) (user.state_stored ? known : fresh).add(user, mapping_hash);
    }
    fresh.write(transaction, "insert_states");
    known.write(transaction, "update_states");
}

}
