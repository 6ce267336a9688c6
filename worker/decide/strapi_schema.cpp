#include "worker/decide/strapi_schema.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cctype>

namespace clerk_strapi::worker
{

namespace
{

using nlohmann::json;

constexpr auto user_uid = "plugin::users-permissions.user";
constexpr auto role_uid = "plugin::users-permissions.role";

// Thrown and caught in this file: each missing part has its own message.
using missing = schema_gap;

json const* find(json const& object, std::string_view name)
{
    if (!object.is_object()) return nullptr;
    auto const found = object.find(name);
    return found == object.end() ? nullptr : &*found;
}

std::string text_of(json const& object, std::string_view name)
{
    auto const* const found = find(object, name);
    return found != nullptr && found->is_string() ? found->get<std::string>() : std::string{};
}

bool flag_of(json const& object, std::string_view name)
{
    auto const* const found = find(object, name);
    return found != nullptr && found->is_boolean() && found->get<bool>();
}

json parsed(std::string const& text, char const* what)
{
    auto document = json::parse(text, nullptr, false);
    if (document.is_discarded() || !document.is_object())
        throw missing{std::string{what} + " cannot be read; start Strapi once so that it writes it again"};
    return document;
}

json const& content_type(json const& types, std::string const& uid)
{
    auto const* const type = find(types, uid);
    if (type == nullptr) throw missing{"Strapi has no content type " + uid};
    return *type;
}

std::string table_of(json const& types, std::string const& uid)
{
    auto name = text_of(content_type(types, uid), "collectionName");
    if (name.empty()) throw missing{"Strapi's content type " + uid + " has no table name"};
    return name;
}

struct foreign_key
{
    std::string column;
    std::string table;
};

std::vector<foreign_key> foreign_keys(json const& table)
{
    std::vector<foreign_key> keys;
    auto const* const stored = find(table, "foreignKeys");
    if (stored == nullptr) return keys;
    for (auto const& key : *stored) {
        auto const* const columns = find(key, "columns");
        if (columns != nullptr && columns->size() == 1 && columns->front().is_string())
            keys.push_back({columns->front().get<std::string>(), text_of(key, "referencedTable")});
    }
    return keys;
}

// The order column of the owner's side: `<owner>_ord`, named after the owner's id column.
std::optional<std::string> order_column(json const& table, std::string const& owner_column)
{
    auto const wanted = owner_column.substr(0, owner_column.rfind("_id")) + "_ord";
    auto const* const columns = find(table, "columns");
    if (columns == nullptr) return std::nullopt;
    for (auto const& column : *columns) {
        if (text_of(column, "name") == wanted) return wanted;
    }
    return std::nullopt;
}

// All tables that link exactly these two, found by their foreign keys.
std::vector<link_table> links_between(json const& tables, std::string const& owner, std::string const& target)
{
    std::vector<link_table> found;
    for (auto const& table : tables) {
        auto const keys = foreign_keys(table);
        if (keys.size() != 2 || text_of(table, "name") == owner || text_of(table, "name") == target) continue;
        auto const owner_key =
            std::find_if(keys.begin(), keys.end(), [&](auto const& key) { return key.table == owner; });
        auto const target_key =
            std::find_if(keys.begin(), keys.end(), [&](auto const& key) { return key.table == target; });
        if (owner_key == keys.end() || target_key == keys.end()) continue;
        found.push_back(
            {text_of(table, "name"), owner_key->column, target_key->column, order_column(table, owner_key->column)});
    }
    return found;
}

// Strapi names a link table after the attribute of the side that owns it. A single table needs no check of the name.
link_table pick_link(std::vector<link_table> const& links, std::string const& attribute, std::string const& uid)
{
    if (links.empty())
        throw missing{"no link table between " + uid + " and the users was found in Strapi's stored schema"};
    if (links.size() == 1) return links.front();
    auto const end = "_" + snake_case(attribute) + "_lnk";
    auto const named = [&](link_table const& link) { return link.name.ends_with(end); };
    if (std::count_if(links.begin(), links.end(), named) != 1)
        throw missing{
            uid + " is related to the users in several ways, and not exactly one of its link tables ends in " + end};
    return *std::find_if(links.begin(), links.end(), named);
}

// The attribute that points to the user: `user` when there is one of that name, else the only one.
std::string user_attribute(json const& attributes, std::string const& uid)
{
    std::vector<std::string> candidates;
    for (auto const& [name, attribute] : attributes.items()) {
        if (text_of(attribute, "type") == "relation" && text_of(attribute, "target") == user_uid)
            candidates.push_back(name);
    }
    if (candidates.empty())
        throw missing{uid
            + " has no relation to plugin::users-permissions.user; add one, or take the type out of "
              "STRAPI_PROFILE_CONTENT_TYPES"};
    auto const named_user = std::find(candidates.begin(), candidates.end(), "user");
    auto chosen = named_user != candidates.end() ? *named_user : candidates.front();
    if (candidates.size() > 1 && named_user == candidates.end())
        throw missing{uid + " has several relations to the users and none is called 'user'"};
    auto const relation = text_of(attributes.at(chosen), "relation");
    if (relation != "oneToOne" && relation != "manyToOne")
        throw missing{uid + "." + chosen + " is a " + relation + " relation; a profile needs oneToOne or manyToOne"};
    return chosen;
}

std::string default_text(json const& value) { return value.is_string() ? value.get<std::string>() : value.dump(); }

std::vector<column_default> column_defaults(
    json const& attributes, std::string const& uid, std::map<std::string, std::string> const& columns)
{
    std::vector<column_default> defaults;
    for (auto const& [name, attribute] : attributes.items()) {
        auto const* const value = find(attribute, "default");
        if (value == nullptr || value->is_null() || name == "name") continue;
        auto const column = columns.find(snake_case(name));
        if (column == columns.end())
            throw missing{uid + "." + name + " has a default, but its table has no column " + snake_case(name)};
        defaults.push_back({column->first, column->second, default_text(*value)});
    }
    return defaults;
}

void require_columns(
    schema_texts const& texts, std::string const& table, std::vector<std::string> const& columns, char const* advice)
{
    auto const found = texts.columns.find(table);
    if (found == texts.columns.end()) throw missing{"the table " + table + " is missing; " + advice};
    for (auto const& column : columns) {
        if (!found->second.contains(column))
            throw missing{"the table " + table + " has no column " + column + "; " + advice};
    }
}

std::string next_id(schema_texts const& texts, std::string const& table)
{
    auto const found = texts.id_defaults.find(table);
    if (found == texts.id_defaults.end())
        throw missing{"the column id of " + table + " has no sequence; Strapi creates it with one"};
    return found->second;
}

std::string full_uid(json const& types, std::string const& name)
{
    if (name.find("::") != std::string::npos) return name;
    auto uid = "api::" + name + "." + name;
    if (find(types, uid) == nullptr)
        throw missing{"STRAPI_PROFILE_CONTENT_TYPES names '" + name + "', but Strapi has no content type " + uid};
    return uid;
}

profile_type read_profile(json const& types, json const& tables, schema_texts const& texts,
    std::string const& users_table, std::string const& uid)
{
    auto const& type = content_type(types, uid);
    auto const* const attributes = find(type, "attributes");
    auto const* const name = attributes == nullptr ? nullptr : find(*attributes, "name");
    if (name == nullptr || (text_of(*name, "type") != "string" && text_of(*name, "type") != "text"))
        throw missing{uid + " has no text attribute 'name', which a profile needs"};

    profile_type profile;
    profile.uid = uid;
    profile.table = table_of(types, uid);
    auto const attribute = user_attribute(*attributes, uid);
    auto const owned_by_user = text_of(attributes->at(attribute), "mappedBy");
    profile.link = pick_link(
        links_between(tables, profile.table, users_table), owned_by_user.empty() ? attribute : owned_by_user, uid);
    if (auto const* const options = find(type, "options"))
        profile.draft_and_publish = flag_of(*options, "draftAndPublish");
    if (auto const* const plugins = find(type, "pluginOptions")) {
        if (auto const* const i18n = find(*plugins, "i18n")) profile.localized = flag_of(*i18n, "localized");
    }
    constexpr auto advice = "start Strapi once so that it creates it";
    require_columns(texts, profile.table,
        {"id", "document_id", "name", "created_at", "updated_at", "published_at", "locale"}, advice);
    require_columns(texts, profile.link.name, {profile.link.owner_column, profile.link.target_column}, advice);
    profile.next_id = next_id(texts, profile.table);
    profile.defaults = column_defaults(*attributes, uid, texts.columns.at(profile.table));
    return profile;
}

bool is_link_of_ours(strapi_schema const& schema, std::string const& table)
{
    return table == schema.role_link.name
        || std::any_of(schema.profiles.begin(), schema.profiles.end(),
            [&](auto const& profile) { return profile.link.name == table; });
}

// Relations to one type are foreign keys; those to many types (media) are a pair of columns, `<x>_id` and `<x>_type`.
std::vector<user_reference> references_to_users(json const& tables, strapi_schema const& schema)
{
    std::vector<user_reference> found;
    for (auto const& table : tables) {
        auto const name = text_of(table, "name");
        if (is_link_of_ours(schema, name)) continue;
        for (auto const& key : foreign_keys(table)) {
            if (key.table == schema.users_table) found.push_back({name, key.column, std::nullopt});
        }
        auto const* const columns = find(table, "columns");
        if (columns == nullptr || !name.ends_with("_mph")) continue;
        for (auto const& column : *columns) {
            auto const type_column = text_of(column, "name");
            if (!type_column.ends_with("_type")) continue;
            auto const id_column = type_column.substr(0, type_column.size() - 5) + "_id";
            auto const has_id = std::any_of(columns->begin(), columns->end(),
                [&](auto const& other) { return text_of(other, "name") == id_column; });
            if (has_id) found.push_back({name, id_column, type_column});
        }
    }
    return found;
}

strapi_schema read_schema(schema_texts const& texts, std::vector<std::string> const& profile_types)
{
    auto const types = parsed(texts.content_types, "strapi_content_types_schema in strapi_core_store_settings");
    auto const stored = parsed(texts.tables, "the newest row of strapi_database_schema");
    auto const* const tables = find(stored, "tables");
    if (tables == nullptr || !tables->is_array()) throw missing{"strapi_database_schema lists no tables"};

    strapi_schema schema;
    schema.users_table = table_of(types, user_uid);
    schema.roles_table = table_of(types, role_uid);
    require_columns(texts, schema.users_table,
        {"id", "document_id", "username", "email", "provider", "confirmed", "blocked", "created_at", "updated_at",
            "published_at"},
        "is this Strapi v5 with users-permissions?");
    require_columns(texts, schema.users_table, {"clerk_id", "full_name"},
        "enable the Strapi plugin clerk-sync and start Strapi once, so that it creates the fields clerkId and "
        "fullName");
    schema.next_user_id = next_id(texts, schema.users_table);
    auto const role_links = links_between(*tables, schema.users_table, schema.roles_table);
    schema.role_link = pick_link(role_links, "role", user_uid);
    for (auto const& name : profile_types)
        schema.profiles.push_back(read_profile(types, *tables, texts, schema.users_table, full_uid(types, name)));
    schema.references = references_to_users(*tables, schema);
    auto const locale = json::parse(texts.default_locale, nullptr, false);
    if (locale.is_string()) schema.default_locale = locale.get<std::string>();
    return schema;
}

}

std::string snake_case(std::string_view name)
{
    auto const upper = [&](std::size_t i) {
        return i < name.size() && std::isupper(static_cast<unsigned char>(name[i])) != 0;
    };
    auto const lower = [&](std::size_t i) {
        return i < name.size() && std::islower(static_cast<unsigned char>(name[i])) != 0;
    };
    auto const digit = [&](std::size_t i) {
        return i < name.size() && std::isdigit(static_cast<unsigned char>(name[i])) != 0;
    };
    auto const starts_word = [&](std::size_t i) {
        if (digit(i) != digit(i - 1)) return true;
        if (upper(i) && lower(i - 1)) return true;
        return upper(i) && upper(i - 1) && lower(i + 1); // HTMLBody: before the B
    };
    std::string out;
    auto in_word = false;
    for (std::size_t i = 0; i < name.size(); ++i) {
        if (!upper(i) && !lower(i) && !digit(i)) {
            in_word = false;
            continue;
        }
        if (!out.empty() && (!in_word || starts_word(i))) out += '_';
        out += static_cast<char>(std::tolower(static_cast<unsigned char>(name[i])));
        in_word = true;
    }
    return out;
}

result<strapi_schema, schema_gap> parse_strapi_schema(
    schema_texts const& texts, std::vector<std::string> const& profile_types)
{
    try {
        return read_schema(texts, profile_types);
    } catch (missing const& gap) {
        return gap;
    }
}

}
