#include "tests/bench/hand_written.hpp"

#include "common/postgres/sql_array.hpp"
#include "common/postgres/statement.hpp"
#include "worker/decide/document_id.hpp"

#include <initializer_list>
#include <string_view>

namespace clerk_strapi::bench
{

namespace
{

using postgres::sql_array;

constexpr auto profile_uid = "api::user-profile.user-profile";

// The worker sets these too: without them the planner scans whole tables for a batch.
constexpr auto planner_settings =
    "set local enable_seqscan = off; set local enable_mergejoin = off; set local jit = off";

constexpr auto created_time = "timestamptz 'epoch' + i.created_ms * interval '1 millisecond'";

// Our values contain no quote and no backslash.
void append_tuple(std::string& sql, std::initializer_list<std::string_view> values)
{
    sql += sql.ends_with("values ") ? "(" : ",(";
    auto first = true;
    for (auto const value : values) {
        if (!first) sql += ',';
        first = false;
        sql += value;
    }
    sql += ')';
}

std::string in_quotes(std::string_view text) { return "'" + std::string{text} + "'"; }

std::string created_text(ready_user const& one)
{
    return "to_timestamp(" + std::to_string(one.user.created_ms) + "/1000.0)";
}

}

ready_user make_ready(sample_user const& user, std::string const& name_before)
{
    return {user, worker::user_document_id(user.clerk_id), worker::profile_document_id(user.clerk_id, profile_uid),
        name_before};
}

hand_written::hand_written(std::string const& conninfo)
    : connection_{conninfo}
{
    {
        pqxx::work work{connection_};
        role_id_ =
            postgres::exec_one(work, "select id from up_roles where type = 'authenticated'")[0].as<std::int64_t>();
    }
    connection_.prepare(
        "draw", "select nextval('up_users_id_seq'), nextval('user_profiles_id_seq') from generate_series(1, $1::int)");
    connection_.prepare("insert",
        std::string{"with i as (select t.*, nextval('up_users_id_seq') as id, nextval('user_profiles_id_seq') as "
                    "profile_id from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], "
                    "$7::bigint[]) with ordinality as t(clerk_id, document_id, email, username, full_name, "
                    "profile_document_id, created_ms, n)), "
                    "u as (insert into up_users (id, document_id, username, email, provider, confirmed, blocked, "
                    "created_at, updated_at, published_at, clerk_id, full_name) select id, document_id, username, "
                    "email, 'clerk', true, false, "}
            + created_time + ", now(), now(), clerk_id, full_name from i), "
            + "r as (insert into up_users_role_lnk (user_id, role_id, user_ord) select id, $8::int, $9::int + n from "
              "i), "
              "p as (insert into user_profiles (id, document_id, name, created_at, updated_at, published_at) select "
              "profile_id, profile_document_id, full_name, "
            + created_time
            + ", now(), null from i) insert into user_profiles_user_lnk (user_profile_id, user_id) select profile_id, "
              "id from i");
    connection_.prepare("update_both",
        "with u as (update up_users u set email = i.email, full_name = i.name_after, updated_at = now() "
        "from unnest($1::text[], $2::text[], $3::text[], $4::text[]) as i(clerk_id, email, name_before, name_after) "
        "where u.clerk_id = i.clerk_id returning u.id, i.name_before, i.name_after) "
        "update user_profiles p set name = u.name_after, updated_at = now() from u join user_profiles_user_lnk l on "
        "l.user_id = u.id where p.id = l.user_profile_id and p.name is not distinct from u.name_before");
    connection_.prepare("update_users",
        "update up_users u set email = i.email, full_name = i.name_after, updated_at = now() "
        "from unnest($1::text[], $2::text[], $3::text[]) as i(clerk_id, email, name_after) "
        "where u.clerk_id = i.clerk_id");
}

pqxx::result hand_written::draw_ids(pqxx::work& transaction, std::size_t count)
{
    return postgres::exec_prepared(transaction, "draw", static_cast<int>(count));
}

void hand_written::insert_values(std::span<ready_user const> users)
{
    pqxx::work work{connection_};
    auto const ids = draw_ids(work, users.size());
    std::string rows = "insert into up_users (id, document_id, username, email, provider, confirmed, blocked, "
                       "created_at, updated_at, published_at, clerk_id, full_name) values ";
    std::string roles = "insert into up_users_role_lnk (user_id, role_id, user_ord) values ";
    std::string profiles =
        "insert into user_profiles (id, document_id, name, created_at, updated_at, published_at) values ";
    std::string links = "insert into user_profiles_user_lnk (user_profile_id, user_id) values ";
    for (std::size_t i = 0; i < users.size(); ++i) {
        auto const& one = users[i];
        std::string_view const id = ids[static_cast<int>(i)][0].c_str();
        std::string_view const profile_id = ids[static_cast<int>(i)][1].c_str();
        auto const created = created_text(one);
        auto const name = in_quotes(one.user.full_name());
        append_tuple(rows,
            {id, in_quotes(one.document_id), in_quotes(one.user.username), in_quotes(one.user.email), "'clerk'", "true",
                "false", created, "now()", "now()", in_quotes(one.user.clerk_id), name});
        append_tuple(roles, {id, std::to_string(role_id_), std::to_string(++role_order_)});
        append_tuple(
            profiles, {profile_id, in_quotes(one.profile_document_id), name, created, "now()", "null::timestamp"});
        append_tuple(links, {profile_id, id});
    }
    work.exec(rows + ";" + roles + ";" + profiles + ";" + links);
    work.commit();
}

void hand_written::insert_arrays(std::span<ready_user const> users)
{
    sql_array clerk_ids, document_ids, emails, usernames, names, profile_ids, created;
    for (auto const& one : users) {
        clerk_ids.add(one.user.clerk_id);
        document_ids.add(one.document_id);
        emails.add(one.user.email);
        usernames.add(one.user.username);
        names.add(one.user.full_name());
        profile_ids.add(one.profile_document_id);
        created.add(one.user.created_ms);
    }
    pqxx::work work{connection_};
    postgres::exec_prepared(work, "insert", clerk_ids.str(), document_ids.str(), emails.str(), usernames.str(),
        names.str(), profile_ids.str(), created.str(), role_id_, role_order_);
    work.commit();
    role_order_ += static_cast<std::int64_t>(users.size());
}

void hand_written::copy(std::span<ready_user const> users)
{
    pqxx::work work{connection_};
    auto const ids = draw_ids(work, users.size());
    auto const now = postgres::exec_one(work, "select now()::timestamp::text")[0].as<std::string>();
    auto const id = [&](std::size_t i, int column) { return ids[static_cast<int>(i)][column].as<std::int64_t>(); };
    {
        auto into = postgres::copy_into(work, "up_users",
            {"id", "document_id", "username", "email", "provider", "confirmed", "blocked", "created_at", "updated_at",
                "published_at", "clerk_id", "full_name"});
        for (std::size_t i = 0; i < users.size(); ++i) {
            auto const& one = users[i];
            into << std::make_tuple(id(i, 0), one.document_id, one.user.username, one.user.email, "clerk", true, false,
                now, now, now, one.user.clerk_id, one.user.full_name());
        }
        into.complete();
    }
    {
        auto into = postgres::copy_into(work, "up_users_role_lnk", {"user_id", "role_id", "user_ord"});
        for (std::size_t i = 0; i < users.size(); ++i)
            into << std::make_tuple(id(i, 0), role_id_, ++role_order_);
        into.complete();
    }
    {
        auto into =
            postgres::copy_into(work, "user_profiles", {"id", "document_id", "name", "created_at", "updated_at"});
        for (std::size_t i = 0; i < users.size(); ++i)
            into << std::make_tuple(id(i, 1), users[i].profile_document_id, users[i].user.full_name(), now, now);
        into.complete();
    }
    {
        auto into = postgres::copy_into(work, "user_profiles_user_lnk", {"user_profile_id", "user_id"});
        for (std::size_t i = 0; i < users.size(); ++i)
            into << std::make_tuple(id(i, 1), id(i, 0));
        into.complete();
    }
    work.commit();
}

void hand_written::update_with_profiles(std::span<ready_user const> users)
{
    sql_array clerk_ids, emails, before, after;
    for (auto const& one : users) {
        clerk_ids.add(one.user.clerk_id);
        emails.add(one.user.email);
        before.add(one.name_before);
        after.add(one.user.full_name());
    }
    pqxx::work work{connection_};
    work.exec(planner_settings);
    postgres::exec_prepared(work, "update_both", clerk_ids.str(), emails.str(), before.str(), after.str());
    work.commit();
}

void hand_written::update_users_only(std::span<ready_user const> users)
{
    sql_array clerk_ids, emails, after;
    for (auto const& one : users) {
        clerk_ids.add(one.user.clerk_id);
        emails.add(one.user.email);
        after.add(one.user.full_name());
    }
    pqxx::work work{connection_};
    work.exec(planner_settings);
    postgres::exec_prepared(work, "update_users", clerk_ids.str(), emails.str(), after.str());
    work.commit();
}

}
