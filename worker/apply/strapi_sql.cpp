#include "worker/apply/strapi_sql.hpp"

#include "worker/apply/state_sql.hpp"

#include <algorithm>

namespace clerk_strapi::worker
{

namespace
{

// The text for a {name} of a template.
struct replacement
{
    std::string_view name;
    std::string text;
};

// Reads the template once: an inserted text may contain braces itself (a site's default, a quoted name).
std::string filled(std::string_view text, std::vector<replacement> const& replacements)
{
    std::string out;
    for (auto begin = text.find('{'); begin != std::string_view::npos; begin = text.find('{')) {
        auto const end = text.find('}', begin);
        auto const name = text.substr(begin + 1, end - begin - 1);
        auto const found = std::find_if(
            replacements.begin(), replacements.end(), [&](replacement const& one) { return one.name == name; });
        out += text.substr(0, begin);
        out += found->text; // the templates use these names only
        text.remove_prefix(end + 1);
    }
    return out += text;
}

std::string table_name(sql_settings const& settings, std::string const& table)
{
    return quoted_identifier(settings.database_schema) + "." + quoted_identifier(table);
}

// Strapi's wall clock in milliseconds: its columns are timestamps without a zone, in its process's zone.
std::string now_text(sql_settings const& settings)
{
    return "date_trunc('milliseconds', now() at time zone " + quoted_literal(settings.time_zone) + ")";
}

std::string time_text(std::string const& milliseconds, sql_settings const& settings)
{
    return "((timestamptz 'epoch' + " + milliseconds + " * interval '1 millisecond') at time zone "
        + quoted_literal(settings.time_zone) + ")";
}

std::vector<replacement> user_names(strapi_schema const& schema, sql_settings const& settings)
{
    return {
        {"users", table_name(settings, schema.users_table)},
        {"roles", table_name(settings, schema.roles_table)},
        {"role_link", table_name(settings, schema.role_link.name)},
        {"link_user", quoted_identifier(schema.role_link.owner_column)},
        {"link_role", quoted_identifier(schema.role_link.target_column)},
        {"link_order", quoted_identifier(schema.role_link.order_column.value_or(""))},
        {"settings", table_name(settings, "strapi_core_store_settings")},
        {"next_id", schema.next_user_id},
        {"now", now_text(settings)},
        {"created", time_text("i.created_ms", settings)},
    };
}

}

std::string content_query(strapi_schema const& schema, std::string const& database_schema, std::string const& ids)
{
    auto const in_schema = [&](std::string const& table) {
        return quoted_identifier(database_schema) + "." + quoted_identifier(table);
    };
    auto text = "select i.id from unnest(" + quoted_literal(ids) + "::int[]) as i(id) where exists (select 1 from "
        + in_schema(schema.users_table)
        + " u cross join lateral jsonb_each(to_jsonb(u) - array['id', 'document_id', 'username', 'email', 'provider', "
          "'confirmed', 'blocked', 'created_at', 'updated_at', 'published_at', 'clerk_id', 'full_name', "
          "'created_by_id', 'updated_by_id', 'locale']) as c where u.id = i.id and c.value <> 'null')";
    for (auto const& [table, column, type_column] : schema.references) {
        text += " or exists (select 1 from " + in_schema(table) + " r where r." + quoted_identifier(column) + " = i.id";
        if (type_column) text += " and r." + quoted_identifier(*type_column) + " = 'plugin::users-permissions.user'";
        text += ")";
    }
    return text;
}

std::vector<statement> user_statements(strapi_schema const& schema, sql_settings const& settings)
{
    auto const ordered = schema.role_link.order_column.has_value();
    // Ids are drawn first, so that links need no join with the inserted rows.
    auto const link_roles = ordered
        ? "insert into {role_link} ({link_user}, {link_role}, {link_order}) select i.id, $9::int, "
          "(select coalesce(max({link_order}), 0) from {role_link} where {link_role} = $9::int) + i.n from i"
        : "insert into {role_link} ({link_user}, {link_role}) select i.id, $9::int from i";
    auto const tops = ordered
        ? ", m as (select r.role_id, (select coalesce(max({link_order}), 0) from {role_link} where "
          "{link_role} = r.role_id) as top from (select distinct role_after as role_id from i) r)"
        : "";
    auto statements = state_statements();
    std::vector<statement> const templates{
        {"read_rows",
            "select id, clerk_id, document_id, email, username, full_name, blocked, provider from {users} "
            "where clerk_id = any($1::text[])"},
        // Strapi dropped the column while the plugin was disabled: restored only if id and document id both match.
        {"read_lost_rows",
            "select u.id, i.clerk_id, u.document_id, u.email, u.username, u.full_name, u.blocked, u.provider "
            "from unnest($1::text[], $2::int[], $3::text[]) as i(clerk_id, id, document_id) join {users} u on u.id = "
            "i.id "
            "where u.document_id = i.document_id and u.clerk_id is null"},
        // Rule C10: rows other than $3 that have one of $1, and users that wait for one of $1 or $2. With a Clerk id:
        // a user with state. Without: a local row, and whether it can be linked (C7).
        {"affected_rows",
            "select case when not s.tombstone then s.clerk_id end, u.id, u.email, u.username, "
            "u.clerk_id is null and s.clerk_id is null from {users} u left join lateral ("
            "select k.clerk_id, k.tombstone from clerk_sync.user_state k where k.clerk_id = u.clerk_id union all "
            "select k.clerk_id, k.tombstone from clerk_sync.user_state k where u.clerk_id is null and k.strapi_id = "
            "u.id and k.document_id = u.document_id limit 1) s on true "
            "where (u.email = any($1::text[]) or u.username = any($1::text[])) and u.id <> all($3::int[]) "
            "union all select k.clerk_id, null, null, null, false from clerk_sync.user_state k "
            "where k.waits_for is not null and k.waits_for && ($1::text[] || $2::text[]) and not k.tombstone"},
        {"lock_local_rows",
            "select id, clerk_id, document_id, email, username, full_name, blocked, provider from {users} "
            "where id = any($1::int[]) and clerk_id is null order by id for update"},
        {"roles",
            "select r.id, r.type, coalesce(r.type = (select s.value::json ->> 'default_role' from {settings} s "
            "where s.key = 'plugin_users-permissions_advanced'), false) from {roles} r where r.type is not null "
            "order by r.id"},
        // Only where the user still has the role that the worker assigned.
        {"replace_roles",
            std::string{"with i as (select * from unnest($1::int[], $2::int[], $3::int[]) with ordinality "
                        "as t(user_id, role_before, role_after, n))"}
                + tops + " update {role_link} l set {link_role} = i.role_after"
                + (ordered ? ", {link_order} = m.top + i.n from i join m on m.role_id = i.role_after " : " from i ")
                + "where l.{link_user} = i.user_id and l.{link_role} = i.role_before returning l.{link_user}"},
        {"insert_users",
            std::string{
                "with i as (select t.*, {next_id} as id from unnest($1::text[], $2::text[], $3::text[], $4::text[], "
                "$5::text[], $6::boolean[], $7::bigint[], $8::text[]) with ordinality as t(clerk_id, document_id, "
                "email, "
                "username, full_name, blocked, created_ms, provider, n)), "
                "u as (insert into {users} (id, document_id, username, email, provider, confirmed, blocked, "
                "created_at, "
                "updated_at, published_at, clerk_id, full_name) select i.id, i.document_id, i.username, i.email, "
                "i.provider, true, i.blocked, {created}, {now}, {now}, i.clerk_id, i.full_name from i), r as ("}
                + link_roles + ") select id, clerk_id from i"},
        {"update_users",
            "update {users} u set clerk_id = i.clerk_id, email = i.email, username = i.username, full_name = "
            "i.full_name, "
            "blocked = coalesce(i.blocked, u.blocked), provider = coalesce(u.provider, i.provider), updated_at = {now} "
            "from unnest($1::int[], $2::text[], $3::text[], $4::text[], $5::text[], $6::boolean[], $7::text[]) "
            "as i(id, clerk_id, email, username, full_name, blocked, provider) where u.id = i.id"},
        // The person who registered the row can no longer sign in: no password, and no token that could set one.
        {"link_users",
            "update {users} u set clerk_id = i.clerk_id, email = i.email, username = i.username, full_name = "
            "i.full_name, blocked = coalesce(i.blocked, u.blocked), provider = i.provider, confirmed = true, "
            "password = null, reset_password_token = null, confirmation_token = null, updated_at = {now} "
            "from unnest($1::int[], $2::text[], $3::text[], $4::text[], $5::text[], $6::boolean[], $7::text[]) "
            "as i(id, clerk_id, email, username, full_name, blocked, provider) where u.id = i.id and u.clerk_id is "
            "null"},
        {"delete_users", "delete from {users} where id = any($1::int[])"},
        {"block_users",
            "update {users} u set email = i.email, username = i.username, full_name = null, blocked = true, "
            "provider = i.provider, updated_at = {now} "
            "from unnest($1::int[], $2::text[], $3::text[], $4::text[]) as i(id, username, email, provider) where u.id "
            "= i.id"},
    };
    auto const names = user_names(schema, settings);
    for (auto const& one : templates)
        statements.push_back({one.name, filled(one.text, names)});
    return statements;
}

namespace
{

std::vector<replacement> profile_names(
    profile_type const& profile, std::string const& default_locale, sql_settings const& settings)
{
    std::string default_columns;
    std::string default_values;
    for (auto const& column : profile.defaults) {
        default_columns += ", " + quoted_identifier(column.column);
        default_values += ", cast(" + quoted_literal(column.text) + " as " + column.sql_type + ")";
    }
    auto const now = now_text(settings);
    // The rows of a new profile: a draft, and with PROFILE_STATUS=published a published row; one row if the type has no
    // drafts.
    auto rows = "(values (" + now + "))";
    if (profile.draft_and_publish) {
        rows = settings.profiles == profile_status::draft ? "(values (null::timestamp))"
                                                          : "(values (null::timestamp), (" + now + "))";
    }
    auto const table = table_name(settings, profile.table);
    auto const link = table_name(settings, profile.link.name);
    auto const linked = "select l." + quoted_identifier(profile.link.owner_column) + " from " + link + " l where l."
        + quoted_identifier(profile.link.target_column) + " = any($1::int[])";
    return {
        {"profiles", table},
        {"link", link},
        {"link_profile", quoted_identifier(profile.link.owner_column)},
        {"link_user", quoted_identifier(profile.link.target_column)},
        {"order_column", profile.link.order_column ? ", " + quoted_identifier(*profile.link.order_column) : ""},
        {"order_value", profile.link.order_column ? ", row_number() over (partition by i.user_id order by p.id)" : ""},
        {"new_order", profile.link.order_column ? ", row_number() over (partition by i.user_id order by i.id)" : ""},
        {"next_id", profile.next_id},
        {"default_columns", default_columns},
        {"default_values", default_values},
        {"locale", profile.localized ? quoted_literal(default_locale) : "null"},
        {"rows", rows},
        {"now", now},
        {"created", time_text("i.created_ms", settings)},
        {"linked", linked},
        {"documents", "select p.document_id from " + table + " p where p.id = any(array(" + linked + "))"},
    };
}

}

std::vector<statement> profile_statements(
    profile_type const& profile, std::size_t index, std::string const& default_locale, sql_settings const& settings)
{
    std::vector<statement> const templates{
        // The document id may be taken, by a profile that an editor moved to another user: then a new one is drawn.
        {"insert_profiles",
            "with t as (select t.user_id, t.name, t.created_ms, case when exists (select 1 from {profiles} p where "
            "p.document_id = t.document_id) then 'p' || substr(md5(t.document_id || ' ' || now()), 1, 23) "
            "else t.document_id end as document_id from unnest($1::int[], $2::text[], $3::text[], $4::bigint[]) "
            "as t(user_id, document_id, name, created_ms)), "
            "i as (select t.*, r.published_at, {next_id} as id from t cross join {rows} as r(published_at)), "
            "p as (insert into {profiles} (id, document_id, name, created_at, updated_at, published_at, "
            "locale{default_columns}) select i.id, i.document_id, i.name, {created}, {now}, i.published_at, "
            "{locale}{default_values} from i) "
            "insert into {link} ({link_profile}, {link_user}{order_column}) select i.id, i.user_id{new_order} from i"},
        // A profile without a link (its user was deleted by SQL, or an editor removed the relation) is linked again: a
        // second row with its document id would be the same document.
        {"relink_profiles",
            "insert into {link} ({link_profile}, {link_user}{order_column}) select p.id, i.user_id{order_value} "
            "from unnest($1::int[], $2::text[]) as i(user_id, document_id) join {profiles} p on p.document_id = "
            "i.document_id where not exists (select 1 from {profiles} o join {link} l on l.{link_profile} = o.id "
            "where o.document_id = i.document_id) returning {link_user}"},
        // LIMIT and OFFSET prevent that the planner scans the table instead of one lookup per user.
        {"users_without_profile",
            "select i.user_id from unnest($1::int[]) as i(user_id) "
            "where (select 1 from {link} l where l.{link_user} = i.user_id limit 1) is null"},
        {"rename_profiles",
            "update {profiles} p set name = i.name_after, updated_at = {now} "
            "from unnest($1::int[], $2::text[], $3::text[]) as i(user_id, name_before, name_after) cross join lateral "
            "(select l.{link_profile} as id from {link} l where l.{link_user} = i.user_id offset 0) k "
            "where p.id = k.id and p.name is not distinct from i.name_before"},
        // To the linked local row, if it has no profile of this type.
        {"move_profiles",
            "update {link} l set {link_user} = i.local_id from unnest($1::int[], $2::int[]) as i(own_id, local_id) "
            "where l.{link_user} = i.own_id and not exists (select 1 from {link} o where o.{link_user} = i.local_id)"},
        // A document is all rows of one document id: drafts, published rows, locales.
        {"clear_profiles",
            "update {profiles} set name = null, updated_at = {now} where id = any(array({linked})) "
            "or document_id = any(array({documents}))"},
        {"delete_profiles",
            "delete from {profiles} where id = any(array({linked})) or document_id = any(array({documents}))"},
    };
    auto const names = profile_names(profile, default_locale, settings);
    std::vector<statement> statements;
    statements.reserve(templates.size());
    for (auto const& one : templates)
        statements.push_back({one.name + "_" + std::to_string(index), filled(one.text, names)});
    return statements;
}

}
