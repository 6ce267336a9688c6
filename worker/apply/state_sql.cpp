#include "worker/apply/state_sql.hpp"

#include "worker/apply/state_columns.hpp"

namespace clerk_strapi::worker
{

namespace
{

template <class Part>
std::string joined(Part const& part)
{
    std::string text;
    for (std::size_t i = 0; i < state_column_count; ++i)
        text += (i == 0 ? "" : ", ") + part(state_columns[i], i + 1);
    return text;
}

std::string names()
{
    return joined([](state_column const& column, std::size_t) { return std::string{column.name}; });
}

std::string selected(state_column const& column)
{
    std::string const name = column.name;
    return column.form == column_form::digest ? "encode(" + name + ", 'hex') as " + name : name;
}

// The value of one element `i` of the parameters.
std::string assigned(state_column const& column)
{
    auto const value = "i." + std::string{column.name};
    switch (column.form) {
    case column_form::plain: return value;
    case column_form::digest: return "decode(" + value + ", 'hex')";
    case column_form::list: return value + "::text[]";
    }
    return value;
}

std::string from_parameters()
{
    auto const parameters = joined([](state_column const& column, std::size_t number) {
        return "$" + std::to_string(number) + "::" + column.array_type;
    });
    return " from unnest(" + parameters + ") as i(" + names() + ")";
}

std::string assignments()
{
    std::string text;
    for (std::size_t i = 1; i < state_column_count; ++i) // all except the key
        text += (i == 1 ? "" : ", ") + std::string{state_columns[i].name} + " = " + assigned(state_columns[i]);
    return text;
}

}

std::vector<statement> state_statements()
{
    auto const read_states = "select " + joined([](state_column const& column, std::size_t) {
        return selected(column);
    }) + ", revived_at_ms from clerk_sync.user_state where clerk_id = any($1::text[]) order by clerk_id";
    return {
        {"lock_states", read_states + " for update"},
        {"lock_states_now", read_states + " for update nowait"}, // rule L4
        {"insert_states",
            "insert into clerk_sync.user_state (" + names() + ") select "
                + joined([](state_column const& column, std::size_t) { return assigned(column); }) + from_parameters()},
        {"update_states",
            "update clerk_sync.user_state s set " + assignments() + from_parameters()
                + " where s.clerk_id = i.clerk_id"},
        {"put_positions",
            "insert into clerk_sync.next_offset (cluster_id, topic, partition, value) "
            "select * from unnest($1::text[], $2::text[], $3::int[], $4::bigint[]) "
            "on conflict (cluster_id, topic, partition) do update set value = excluded.value"},
        {"get_positions", "select topic, partition, value from clerk_sync.next_offset where cluster_id = $1"},
        // Rule L2: the caller sorts the keys.
        {"lock_values", "select pg_advisory_xact_lock(k) from unnest($1::bigint[]) as v(k)"},
        // Rule L4.
        {"try_lock_values", "select bool_and(pg_try_advisory_xact_lock(k)) from unnest($1::bigint[]) as v(k)"},
    };
}

}
