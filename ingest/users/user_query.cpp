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

// One session is ours alone for as long as it lives. Without sequential scans and joins that read whole indexes, a
// plan made while the tables were empty stays right when they are full; the penalty would wake the JIT compiler.
constexpr auto session_settings =
    "set statement_timeout = '1s'; set default_transaction_read_only = on; set enable_seqscan = off; "
    "set enable_hashjoin = off; set enable_mergejoin = off; set jit = off";
constexpr std::chrono::seconds silence_max{3}; // a statement has one
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

// The lowest id counts where the old plugin wrote a user more than once, and the oldest link where he has two roles.
// Every column is named with its table: in a table that lost its clerk_id, a bare name would mean the outer one, and
// everybody would be the first user (I5).
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
    // A connection that went while nobody used it says nothing about the server.
    if (kept && answer.result.outcome == work_outcome::unavailable) answer = read_once(clerk_ids);
    // Tables may be there by the next try: nothing prepared now is to be kept.
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
