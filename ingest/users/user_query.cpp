#include "ingest/users/user_query.hpp"

#include "common/postgres/quoting.hpp"
#include "common/postgres/sql_array.hpp"
#include "common/postgres/statement.hpp"

#include <chrono>
#include <utility>

namespace clerk_strapi::ingest
{
namespace
{

// A statement may be planned while the tables are empty. Without sequential scans, hash joins and merge joins that plan
// is still right for full tables. JIT is off because the planner's penalty for disabled methods would trigger it. The
// settings affect only this session.
constexpr auto session_settings =
    "set statement_timeout = '1s'; set default_transaction_read_only = on; set enable_seqscan = off; "
    "set enable_hashjoin = off; set enable_mergejoin = off; set jit = off";
constexpr std::chrono::seconds silence_max{3}; // longer than statement_timeout
constexpr auto statement_name = "users_by_clerk_id";

enum column {
    position,
    tombstone,
    id,
    document_id,
    username,
    email,
    confirmed,
    blocked,
    role_id,
    role_type,
    role_name
};

// The legacy plugin may have written a user twice: the row with the lowest id counts. With two role links the oldest
// counts. Every column is qualified with its table: if up_users lost its clerk_id column, a bare clerk_id would refer
// to the outer query and match every row, so every token would get the identity of the first user (I5).
std::string statement(std::string const& database_schema)
{
    auto const schema = postgres::quoted_identifier(database_schema) + ".";
    return "select i.position, (select s.tombstone from clerk_sync.user_state s where s.clerk_id = i.clerk_id), "
           "u.id, u.document_id, u.username, u.email, u.confirmed, u.blocked, r.id, r.type, r.name "
           "from unnest($1::text[]) with ordinality as i(clerk_id, position) "
           "left join lateral (select w.id, w.document_id, w.username, w.email, w.confirmed, w.blocked from "
        + schema
        + "up_users w where w.clerk_id = i.clerk_id order by w.id limit 1) u on true "
          "left join lateral (select r.id, r.type, r.name from "
        + schema + "up_users_role_lnk l join " + schema
        + "up_roles r on r.id = l.role_id where l.user_id = u.id order by l.id limit 1) r on true";
}

user_answer answer_of(pqxx::row const& row)
{
    if (row[tombstone].as<bool>(false)) return {user_outcome::deleted, nullptr};
    if (row[id].is_null()) return {user_outcome::absent, nullptr};
    auto user = std::make_shared<strapi_user>();
    user->id = row[id].as<std::int64_t>();
    user->document_id = row[document_id].as<std::string>("");
    user->username = row[username].as<std::string>("");
    user->email = row[email].as<std::string>("");
    user->confirmed = row[confirmed].as<bool>(false);
    user->blocked = row[blocked].as<bool>(false);
    if (!row[role_id].is_null()) {
        user->role = strapi_role{
            row[role_id].as<std::int64_t>(), row[role_type].as<std::string>(""), row[role_name].as<std::string>("")};
    }
    return {user_outcome::found, std::move(user)};
}

}

strapi_user_query::strapi_user_query(postgres::session::conninfo_source conninfo, std::string const& database_schema)
    : session_{std::move(conninfo),
        [this, text = statement(database_schema)](postgres::any_connection& connection) {
            pqxx::nontransaction{connection}.exec(session_settings);
            connection.prepare(statement_name, text);
            connected_ = true;
        },
        silence_max}
{
}

users_read strapi_user_query::read(std::vector<std::string> const& clerk_ids)
{
    using postgres::work_outcome;
    bool const kept = connected_;
    auto answer = read_once(clerk_ids);
    // The idle connection may be broken although the server is up: try once more on a new one.
    if (kept && answer.result.outcome == work_outcome::unavailable) answer = read_once(clerk_ids);
    // Missing tables may exist at the next try: drop the connection with its prepared statement.
    connected_ = answer.result.outcome == work_outcome::done;
    if (!connected_) session_.disconnect();
    return answer;
}

users_read strapi_user_query::read_once(std::vector<std::string> const& clerk_ids)
{
    postgres::sql_array ids;
    for (auto const& each : clerk_ids)
        ids.add(each);
    users_read read;
    read.answers.resize(clerk_ids.size());
    read.result = session_.run([&](pqxx::work& work) {
        for (auto const& row : postgres::exec_prepared(work, statement_name, ids.str()))
            read.answers.at(row[position].as<std::size_t>() - 1) = answer_of(row);
    });
    return read;
}

}
