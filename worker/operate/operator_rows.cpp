#include "worker/operate/operator_rows.hpp"

#include "common/postgres/quoting.hpp"
#include "common/postgres/statement.hpp"

namespace clerk_strapi::worker
{

namespace
{

using postgres::quoted_identifier;

std::string text_of(pqxx::result const& rows)
{
    return rows.empty() || rows[0][0].is_null() ? std::string{} : rows[0][0].as<std::string>();
}

user_state state_of(pqxx::result const& rows)
{
    user_state state;
    if (rows.empty()) return state;
    auto const& row = rows[0];
    state.known = row["tombstone"].as<bool>() ? user_state::presence::tombstone : user_state::presence::present;
    state.version = {row["updated_at_ms"].as<std::int64_t>(), row["event_ms"].as<std::int64_t>(),
        row["event_id"].as<std::string>(), digest_from_hex(std::string_view{row["body_hash"].c_str()}.substr(2))};
    state.revived_at_ms = row["revived_at_ms"].as<std::int64_t>(0);
    return state;
}

}

operator_rows::operator_rows(postgres::session::conninfo_source conninfo, std::string database_schema)
    : session_{std::move(conninfo)}
    , database_schema_{std::move(database_schema)}
{
}

result<void, failure> operator_rows::run(std::function<void(pqxx::work&)> const& body)
{
    auto const done = session_.run(body);
    if (done.outcome == postgres::work_outcome::done) return {};
    return failure{"cannot use the database: " + (done.detail.empty() ? "SQLSTATE " + done.sqlstate : done.detail)};
}

result<user_rows, failure> operator_rows::read_user(std::string const& clerk_id, strapi_schema const& schema)
{
    user_rows found;
    auto const table = [&](std::string const& name) {
        return quoted_identifier(database_schema_) + "." + quoted_identifier(name);
    };
    auto const users = table(schema.users_table);
    auto const read = run([&](pqxx::work& transaction) {
        found = {};
        found.state = text_of(postgres::exec(transaction,
            "select to_jsonb(s) - 'body_hash' from clerk_sync.user_state s where clerk_id = $1", clerk_id));
        found.known =
            state_of(postgres::exec(transaction, "select * from clerk_sync.user_state where clerk_id = $1", clerk_id));
        // Listed by name: never the password or a reset token.
        found.strapi = text_of(postgres::exec(transaction,
            "select to_jsonb(u) from (select id, document_id, username, "
            "email, full_name, provider, confirmed, blocked, "
            "created_at, updated_at from "
                + users + " where clerk_id = $1) u",
            clerk_id));
        found.known.has_strapi_row = !found.strapi.empty();
        auto const& link = schema.role_link;
        found.roles = text_of(postgres::exec(transaction,
            "select coalesce(jsonb_agg(jsonb_build_object('id', r.id, 'type', r.type, 'name', r.name)), '[]') from "
                + users + " u join " + table(link.name) + " l on l." + quoted_identifier(link.owner_column)
                + " = u.id join " + table(schema.roles_table) + " r on r.id = l."
                + quoted_identifier(link.target_column) + " where u.clerk_id = $1",
            clerk_id));
        for (auto const& profile : schema.profiles) {
            auto const rows = text_of(postgres::exec(transaction,
                "select coalesce(jsonb_agg(jsonb_build_object('id', p.id, "
                "'document_id', p.document_id, 'name', p.name, "
                "'published_at', p.published_at) order by p.id), '[]') from "
                    + users + " u join " + table(profile.link.name) + " l on l."
                    + quoted_identifier(profile.link.target_column) + " = u.id join " + table(profile.table)
                    + " p on p.id = l." + quoted_identifier(profile.link.owner_column) + " where u.clerk_id = $1",
                clerk_id));
            found.profiles.emplace_back(profile.uid, rows);
        }
    });
    if (!read) return read.error();
    return found;
}

result<std::string, failure> operator_rows::summary(std::string const& mapping_hash)
{
    std::string found;
    // Through JSON: a column that an older schema does not have is then null, not an error.
    auto const read = run([&](pqxx::work& transaction) {
        found = text_of(postgres::exec(transaction,
            "select jsonb_build_object('users', count(*) filter (where not tombstone), "
            "'tombstones', count(*) filter (where tombstone), "
            "'conflicts', count(*) filter (where jsonb_typeof(to_jsonb(s) -> 'waits_for') = 'array'), "
            "'other_mapping', count(*) filter (where not tombstone and mapping_hash <> $1), "
            "'server_version', current_setting('server_version')) from clerk_sync.user_state s",
            mapping_hash));
    });
    if (!read) return read.error();
    return {boost::system::in_place_value, found}; // a text alone could also be a failure
}

result<void, failure> operator_rows::revive(
    std::string const& clerk_id, std::int64_t now_ms, strapi_schema const& schema)
{
    auto const users = quoted_identifier(database_schema_) + "." + quoted_identifier(schema.users_table);
    return run([&](pqxx::work& transaction) {
        auto const kept = postgres::exec(transaction,
            "update " + users + " set provider = 'clerk' where clerk_id = $1 and provider = 'clerk-deleted'", clerk_id);
        // A row that DELETE_POLICY=block kept is blocked by us, so the next snapshot unblocks it.
        postgres::exec(transaction,
            "update clerk_sync.user_state set tombstone = false, updated_at_ms = 0, event_ms = 0, event_id = '', "
            "body_hash = '', mapping_hash = '', blocked_by_us = $3, revived_at_ms = $2 "
            "where clerk_id = $1 and tombstone",
            clerk_id, now_ms, kept.affected_rows() > 0);
    });
}

}
