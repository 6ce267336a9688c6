#include "worker/operate/drift_rows.hpp"

#include "common/postgres/sql_array.hpp"
#include "common/postgres/statement.hpp"
#include "worker/decide/fold.hpp"

#include <utility>

namespace clerk_strapi::worker
{
namespace
{

using postgres::sql_array;

constexpr auto listed_table = "clerk_reconcile_listed";
constexpr auto candidate_table = "clerk_reconcile_candidate";
constexpr auto confirmed_table = "clerk_reconcile_confirmed";
constexpr auto ids_max = 500;
// For the one statement that reads whole tables, once per run.
constexpr auto whole_table_settings = "set local statement_timeout = '10min'";

template <class T>
std::optional<T> optional_field(pqxx::field const& field)
{
    if (field.is_null()) return std::nullopt;
    return field.as<T>();
}

std::string in_schema(sql_settings const& settings, std::string const& table)
{
    return quoted_identifier(settings.database_schema) + "." + quoted_identifier(table);
}

// `more`: another condition on the link.
std::string is_linked(
    sql_settings const& settings, link_table const& link, std::string const& user_column, std::string const& more = {})
{
    return "exists (select 1 from " + in_schema(settings, link.name) + " l where l." + quoted_identifier(user_column)
        + " = u.id" + more + ")";
}

// Columns in the order of read_facts().
std::string facts_statement(strapi_schema const& schema, sql_settings const& settings)
{
    auto const users = in_schema(settings, schema.users_table);
    std::string profiles = "true";
    for (auto const& profile : schema.profiles)
        profiles += " and " + is_linked(settings, profile.link, profile.link.target_column);
    auto const held = [&](std::string const& column) {
        auto const value = "i." + column;
        auto const by = [&](char const* field) {
            return "exists (select 1 from " + users + " o where o." + field + " = " + value + " and o.id <> u.id)";
        };
        return "case when u." + column + " is distinct from " + value + " then " + by("email") + " or " + by("username")
            + " else false end";
    };
    return "select s.clerk_id is not null, s.tombstone, s.updated_at_ms, s.email, s.username, s.full_name, s.banned, "
           "s.blocked_by_us, u.id is not null, u.email, u.username, u.full_name, coalesce(u.blocked, false), "
           "coalesce(u.provider, '') = "
        + quoted_literal(provider_deleted) + ", "
        + is_linked(settings, schema.role_link, schema.role_link.owner_column,
            " and l." + quoted_identifier(schema.role_link.target_column) + " = s.role_id")
        + ", " + profiles + ", " + held("email") + ", " + held("username") + ", s.role_answer"
        + " from unnest($1::text[], $2::text[], $3::text[]) with ordinality as i(clerk_id, email, username, n) "
          "left join clerk_sync.user_state s on s.clerk_id = i.clerk_id left join "
        + users + " u on u.clerk_id = i.clerk_id order by i.n, u.id";
}

user_facts read_facts(pqxx::row const& row)
{
    user_facts facts;
    if (row[0].as<bool>()) {
        auto& known = facts.known.emplace();
        known.tombstone = row[1].as<bool>();
        known.updated_at_ms = row[2].as<std::int64_t>();
        known.desired.email = optional_field<std::string>(row[3]);
        known.desired.username = optional_field<std::string>(row[4]);
        known.desired.full_name = optional_field<std::string>(row[5]);
        known.desired.banned = row[6].as<bool>();
        known.blocked_by_us = row[7].as<bool>();
        known.role_answer = optional_field<std::string>(row[18]);
    }
    if (row[8].as<bool>()) {
        auto const text = [](pqxx::field const& field) { return optional_field<std::string>(field).value_or(""); };
        facts.strapi = {text(row[9]), text(row[10]), optional_field<std::string>(row[11]), row[12].as<bool>(),
            row[13].as<bool>(), row[14].as<bool>(), row[15].as<bool>()};
    }
    facts.email_held = row[16].as<bool>();
    facts.username_held = row[17].as<bool>();
    return facts;
}

}

drift_rows::drift_rows(
    postgres::session::conninfo_source conninfo, strapi_schema const& schema, sql_settings const& settings)
    : users_{in_schema(settings, schema.users_table)}
    , facts_sql_{facts_statement(schema, settings)}
    , session_{std::move(conninfo)}
{
}

result<void, failure> drift_rows::run(std::function<void(pqxx::work&)> const& body)
{
    auto const done = session_.run(body);
    if (done.outcome == postgres::work_outcome::done) return {};
    // The temporary tables are lost with the session.
    if (done.sqlstate == "42P01") return failure{"lost the connection to the database; run the command again"};
    return failure{"cannot use the database: " + done.detail};
}

result<void, failure> drift_rows::begin()
{
    return run([](pqxx::work& work) {
        for (auto const* const table : {listed_table, candidate_table, confirmed_table})
            work.exec(std::string{"create temporary table "} + table + " (clerk_id text collate \"C\" primary key)");
    });
}

result<std::vector<user_facts>, failure> drift_rows::read(std::vector<drift_question> const& questions, bool listed)
{
    sql_array ids;
    sql_array emails;
    sql_array usernames;
    for (auto const& question : questions) {
        ids.add(question.clerk_id);
        emails.add(question.email);
        usernames.add(question.username);
    }
    std::vector<user_facts> facts;
    auto const done = run([&](pqxx::work& work) {
        facts.clear();
        work.exec(transaction_settings);
        for (auto const& row : postgres::exec(work, facts_sql_, ids.str(), emails.str(), usernames.str()))
            facts.push_back(read_facts(row));
        if (listed)
            postgres::exec(work,
                std::string{"insert into "} + listed_table + " select unnest($1::text[]) on conflict do nothing",
                ids.str());
    });
    if (!done) return done.error();
    if (facts.size() != questions.size())
        return failure{"several Strapi rows have the same clerk_id; `clerk-worker migrate` lists them"};
    return facts;
}

result<std::size_t, failure> drift_rows::find_candidates()
{
    std::size_t count = 0;
    auto const done = run([&](pqxx::work& work) {
        work.exec(whole_table_settings);
        work.exec(std::string{"analyze "} + listed_table);
        auto const not_listed = [](char const* id) {
            return std::string{" and not exists (select 1 from "} + listed_table + " l where l.clerk_id = " + id
                + " collate \"C\")";
        };
        count = work.exec(std::string{"insert into "} + candidate_table
                        + " select s.clerk_id from clerk_sync.user_state s where not s.tombstone"
                        + not_listed("s.clerk_id") + " union select u.clerk_id::text from " + users_
                        + " u where u.clerk_id is not null and u.provider is distinct from "
                        + quoted_literal(provider_deleted) + not_listed("u.clerk_id::text"))
                    .affected_rows();
    });
    if (!done) return done.error();
    return count;
}

result<std::vector<std::string>, failure> drift_rows::ids(char const* table, std::string const& after)
{
    std::vector<std::string> found;
    auto const done = run([&](pqxx::work& work) {
        found.clear();
        for (auto const& row : postgres::exec(work,
                 std::string{"select clerk_id from "} + table + " where clerk_id > $1 order by clerk_id limit "
                     + std::to_string(ids_max),
                 after))
            found.push_back(row[0].as<std::string>());
    });
    if (!done) return done.error();
    return found;
}

result<std::vector<std::string>, failure> drift_rows::candidates_after(std::string const& clerk_id)
{
    return ids(candidate_table, clerk_id);
}

result<void, failure> drift_rows::confirm(std::string const& clerk_id)
{
    return run([&](pqxx::work& work) {
        postgres::exec(
            work, std::string{"insert into "} + confirmed_table + " values ($1) on conflict do nothing", clerk_id);
    });
}

result<std::vector<std::string>, failure> drift_rows::confirmed_after(std::string const& clerk_id)
{
    return ids(confirmed_table, clerk_id);
}

}
