#include "worker/operate/merge_duplicates.hpp"

#include "common/postgres/sql_array.hpp"
#include "common/postgres/statement.hpp"
#include "worker/apply/schema_reader.hpp"
#include "worker/operate/user_references.hpp"

#include <map>
#include <stdexcept>
#include <unordered_map>

namespace clerk_strapi::worker::commands
{

namespace
{

using postgres::sql_array;
using content_of_rows = std::unordered_map<std::int64_t, duplicate_row*>;

constexpr auto users_uid = "plugin::users-permissions.user";

std::string in_schema(store_settings const& settings, std::string_view table)
{
    return quoted_identifier(settings.sql.database_schema) + "." + quoted_identifier(table);
}

// Strapi's description of its own tables: parsed, and the text in which references are looked up.
struct described_site
{
    schema_texts texts;
    strapi_schema schema;
};

described_site read_site(pqxx::transaction_base& work, store_settings const& settings)
{
    auto texts = read_schema_texts(work, settings.sql);
    auto schema = parse_strapi_schema(texts, settings.profile_types);
    if (!schema) throw std::runtime_error{schema.error().what};
    return {std::move(texts), std::move(*schema)};
}

std::vector<table_reference> references_to(described_site const& site, std::string const& table)
{
    auto found = find_references(site.texts, table);
    if (!found) throw std::runtime_error{found.error().what};
    return std::move(*found);
}

std::string type_condition(table_reference const& one, std::string const& uid)
{
    if (!one.type_column) return "true";
    return "r." + quoted_identifier(*one.type_column) + " = " + quoted_literal(uid);
}

// `query` returns (user's id, number of rows) for the users in $1.
void count_content(pqxx::transaction_base& work, std::string const& query, std::string const& ids,
    std::string const& table, content_of_rows const& rows)
{
    for (auto const& found : postgres::exec(work, query, ids))
        rows.at(found[0].as<std::int64_t>())->content[table] += found[1].as<std::int64_t>();
}

void count_user_references(pqxx::transaction_base& work, store_settings const& settings, described_site const& site,
    std::string const& ids, content_of_rows const& rows)
{
    for (auto const& one : references_to(site, site.schema.users_table)) {
        auto expected = one.table == site.schema.role_link.name;
        for (auto const& profile : site.schema.profiles)
            expected = expected || one.table == profile.link.name;
        if (expected) continue;
        auto const column = "r." + quoted_identifier(one.column);
        count_content(work,
            "select " + column + ", count(*) from " + in_schema(settings, one.table) + " r where " + column
                + " = any($1::int[]) and " + type_condition(one, users_uid) + " group by 1",
            ids, one.table, rows);
    }
}

// A profile counts as content when it was changed after its creation, or when a table refers to it.
void count_profile_references(pqxx::transaction_base& work, store_settings const& settings, described_site const& site,
    profile_type const& profile, std::string const& ids, content_of_rows const& rows)
{
    auto const user = "l." + quoted_identifier(profile.link.target_column);
    auto const profile_id = "l." + quoted_identifier(profile.link.owner_column);
    auto const from_links = " from " + in_schema(settings, profile.link.name) + " l join ";
    auto const of_users = " where " + user + " = any($1::int[]) and ";
    auto const edited_by =
        site.texts.columns.at(profile.table).contains("updated_by_id") ? " or r.updated_by_id is not null" : "";
    count_content(work,
        "select " + user + ", count(*)" + from_links + in_schema(settings, profile.table) + " r on r.id = " + profile_id
            + of_users + "(r.updated_at > r.created_at + interval '1 second'" + edited_by + ") group by 1",
        ids, profile.table, rows);
    for (auto const& one : references_to(site, profile.table)) {
        if (one.table == profile.link.name) continue;
        count_content(work,
            "select " + user + ", count(*)" + from_links + in_schema(settings, one.table) + " r on r."
                + quoted_identifier(one.column) + " = " + profile_id + of_users + type_condition(one, profile.uid)
                + " group by 1",
            ids, one.table, rows);
    }
}

std::vector<merged_user> read_duplicates(pqxx::transaction_base& work, std::string const& users)
{
    std::vector<merged_user> found;
    for (auto const& row : work.exec("select clerk_id, id, coalesce(blocked, false) from " + users
             + " where clerk_id in (select clerk_id from " + users
             + " where clerk_id is not null group by clerk_id having count(*) > 1) order by clerk_id, id")) {
        auto const clerk_id = row[0].as<std::string>();
        if (found.empty() || found.back().found.clerk_id != clerk_id)
            found.push_back({{clerk_id, {}}, {}, {}, 0, false});
        found.back().found.rows.push_back({row[1].as<std::int64_t>(), row[2].as<bool>(), {}});
    }
    return found;
}

// Removes all rows of the removed users' documents, except documents that are linked to another user as well.
std::int64_t remove_profiles(pqxx::transaction_base& work, store_settings const& settings, profile_type const& profile,
    std::string const& removed_users)
{
    auto const profiles = in_schema(settings, profile.table);
    auto const link = in_schema(settings, profile.link.name);
    auto const user = quoted_identifier(profile.link.target_column);
    auto const id = quoted_identifier(profile.link.owner_column);
    auto const removed = postgres::exec(work,
        "delete from " + profiles + " p where (p.id in (select l." + id + " from " + link + " l where l." + user
            + " = any($1::int[])) or p.document_id in (select q.document_id from " + profiles + " q join " + link
            + " l on l." + id + " = q.id where l." + user + " = any($1::int[]))) and not exists (select 1 from " + link
            + " k join " + profiles + " o on o.id = k." + id
            + " where (o.id = p.id or o.document_id = p.document_id) and k." + user + " <> all($1::int[]))",
        removed_users);
    return static_cast<std::int64_t>(removed.affected_rows());
}

}

void lock_users(pqxx::transaction_base& work, store_settings const& settings)
{
    work.exec("set local lock_timeout = '10s'");
    work.exec("lock table " + in_schema(settings, "up_users") + " in share row exclusive mode");
}

std::vector<merged_user> plan_merge(pqxx::transaction_base& work, store_settings const& settings)
{
    auto plan = read_duplicates(work, in_schema(settings, "up_users"));
    if (plan.empty()) return plan; // the usual case: nothing more is read
    auto const site = read_site(work, settings);
    content_of_rows rows;
    sql_array ids;
    for (auto& user : plan) {
        for (auto& row : user.found.rows) {
            rows.emplace(row.id, &row);
            ids.add(row.id);
        }
    }
    count_user_references(work, settings, site, ids.str(), rows);
    for (auto const& profile : site.schema.profiles)
        count_profile_references(work, settings, site, profile, ids.str(), rows);
    for (auto& user : plan) {
        user.kept = row_to_keep(user.found);
        if (!user.kept) continue;
        auto kept_is_blocked = false;
        auto any_blocked = false;
        for (auto const& row : user.found.rows) {
            any_blocked = any_blocked || row.blocked;
            if (row.id == *user.kept) {
                kept_is_blocked = row.blocked;
            } else {
                user.removed.push_back(row.id);
            }
        }
        user.blocked = any_blocked && !kept_is_blocked;
    }
    return plan;
}

void carry_out(pqxx::transaction_base& work, store_settings const& settings, std::vector<merged_user>& plan)
{
    if (plan.empty()) return;
    auto const site = read_site(work, settings);
    auto const users = in_schema(settings, site.schema.users_table);
    for (auto& user : plan) {
        if (!user.kept) continue;
        sql_array removed;
        for (auto const id : user.removed)
            removed.add(id);
        for (auto const& profile : site.schema.profiles)
            user.profiles_removed += remove_profiles(work, settings, profile, removed.str());
        postgres::exec(work, "delete from " + users + " where id = any($1::int[])", removed.str());
        if (user.blocked) postgres::exec(work, "update " + users + " set blocked = true where id = $1", *user.kept);
    }
}

}
