#pragma once

// Tables and columns of one Strapi site, as Strapi stored them. Names are discovered, never concatenated: long names
// end in a hash, and either side may own a relation. Pure: texts in, a schema or a message out.

#include "common/event/result.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace clerk_strapi::worker
{

// What was read from the database, unparsed.
struct schema_texts
{
    std::string tables; // strapi_database_schema.schema, the newest row
    std::string content_types; // strapi_core_store_settings, key strapi_content_types_schema
    std::string default_locale; // key plugin_i18n_default_locale, a JSON string; empty: none
    // The existing columns with their SQL types. Strapi's stored schema may be newer or older.
    std::map<std::string, std::map<std::string, std::string>> columns;
    // Where each table's `id` comes from: nextval('up_users_id_seq'::regclass).
    std::map<std::string, std::string> id_defaults;
};

// A table that links rows of two others.
struct link_table
{
    std::string name;
    std::string owner_column; // the profile's id; for the role link the user's
    std::string target_column; // the user's id; for the role link the role's
    std::optional<std::string> order_column;
};

struct column_default
{
    std::string column;
    std::string sql_type;
    std::string text; // to be cast to sql_type
};

struct profile_type
{
    std::string uid; // api::user-profile.user-profile
    std::string table;
    std::string next_id; // an SQL expression
    link_table link;
    bool draft_and_publish{false};
    bool localized{false};
    std::vector<column_default> defaults;
};

// A column that refers to a user's row by id.
struct user_reference
{
    std::string table;
    std::string column;
    std::optional<std::string> type_column; // of a relation to many types: names the type
};

struct strapi_schema
{
    std::string users_table;
    std::string next_user_id; // an SQL expression
    std::string roles_table;
    link_table role_link; // owner: the user, target: the role
    std::vector<profile_type> profiles;
    std::vector<user_reference> references; // all but the role link and the links of `profiles`
    std::string default_locale{"en"};
};

// What is missing in the site, and how to fix it.
struct schema_gap
{
    std::string what;
};

// `profile_types` are the operator's STRAPI_PROFILE_CONTENT_TYPES: uids, or short names ("user-profile").
[[nodiscard]] result<strapi_schema, schema_gap> parse_strapi_schema(
    schema_texts const& texts, std::vector<std::string> const& profile_types);

// Strapi's column name for an attribute (lodash's snakeCase): m2oProfiles -> m_2_o_profiles.
[[nodiscard]] std::string snake_case(std::string_view name);

}
