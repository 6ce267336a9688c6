#include "worker/apply/schema_reader.hpp"

#include "common/postgres/statement.hpp"

namespace clerk_strapi::worker
{

namespace
{

std::string in_schema(sql_settings const& settings, std::string_view table)
{
    return quoted_identifier(settings.database_schema) + "." + quoted_identifier(table);
}

std::string text_or_empty(pqxx::result const& rows)
{
    return rows.empty() || rows[0][0].is_null() ? std::string{} : rows[0][0].as<std::string>();
}

std::string setting(pqxx::transaction_base& transaction, sql_settings const& settings, std::string const& key)
{
    return text_or_empty(transaction.exec("select value from " + in_schema(settings, "strapi_core_store_settings")
        + " where key = " + quoted_literal(key) + " order by id limit 1"));
}

}

std::string read_fingerprint(pqxx::transaction_base& transaction, sql_settings const& settings)
{
    // Strapi's own hash of its tables, its content types and default locale (a changed default alters no table), and
    // the columns of the user table: disabling the plugin drops them.
    return text_or_empty(
        transaction.exec("select coalesce((select hash from " + in_schema(settings, "strapi_database_schema")
            + " order by time desc, id desc limit 1), '') || ':' || coalesce((select md5(string_agg(value, ',' order "
              "by key)) from "
            + in_schema(settings, "strapi_core_store_settings")
            + " where key in ('strapi_content_types_schema', 'plugin_i18n_default_locale')), '') || ':' || "
              "(select count(*) || ':' || coalesce(max(attnum), 0) from pg_attribute where attrelid = to_regclass("
            + quoted_literal(in_schema(settings, "up_users")) + ") and attnum > 0 and not attisdropped)"));
}

schema_texts read_schema_texts(pqxx::transaction_base& transaction, sql_settings const& settings)
{
    schema_texts texts;
    texts.tables = text_or_empty(transaction.exec("select schema::text from "
        + in_schema(settings, "strapi_database_schema") + " order by time desc, id desc limit 1"));
    texts.content_types = setting(transaction, settings, "strapi_content_types_schema");
    texts.default_locale = setting(transaction, settings, "plugin_i18n_default_locale");
    auto const columns = transaction.exec(
        "select c.relname, a.attname, format_type(a.atttypid, a.atttypmod), pg_get_expr(d.adbin, d.adrelid) from "
        "pg_class c "
        "join pg_attribute a on a.attrelid = c.oid left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum "
        "where c.relkind in ('r', 'p') and a.attnum > 0 and not a.attisdropped and c.relnamespace = (select oid from "
        "pg_namespace where nspname = "
        + quoted_literal(settings.database_schema) + ")");
    for (auto const& row : columns) {
        auto const table = row[0].as<std::string>();
        auto const column = row[1].as<std::string>();
        texts.columns[table][column] = row[2].as<std::string>();
        if (column == "id" && !row[3].is_null()) texts.id_defaults[table] = row[3].as<std::string>();
    }
    return texts;
}

database_facts read_database_facts(pqxx::transaction_base& transaction, sql_settings const& settings)
{
    database_facts facts;
    auto const row = postgres::exec_one(transaction,
        "select exists (select 1 from pg_attribute where attrelid = "
        "to_regclass('clerk_sync.user_state') and attname = 'role_answer') and "
        "to_regclass('clerk_sync.next_offset') is not null and "
        "exists (select 1 from pg_attribute where attrelid = "
        "to_regclass('clerk_sync.user_state') and attname = 'revived_at_ms') and "
        "exists (select 1 from pg_index x join pg_attribute a on a.attrelid = "
        "x.indrelid and a.attnum = x.indkey[0] where "
        "x.indrelid = to_regclass("
            + quoted_literal(in_schema(settings, "up_users"))
            + ") and x.indisunique and x.indisvalid and x.indnatts = 1 and x.indpred is null and a.attname = "
              "'clerk_id'), "
              "exists "
              "(select 1 from pg_timezone_names where name = "
            + quoted_literal(settings.time_zone) + ")");
    facts.migrated = row[0].as<bool>();
    facts.time_zone_known = row[1].as<bool>();
    facts.fingerprint = read_fingerprint(transaction, settings);
    return facts;
}

}
