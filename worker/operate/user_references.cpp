#include "worker/operate/user_references.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace clerk_strapi::worker
{

namespace
{

using nlohmann::json;

constexpr std::string_view id_end = "_id";

std::string text_at(json const& object, char const* name)
{
    auto const found = object.find(name);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string{};
}

json const& list_at(json const& object, char const* name)
{
    static json const none = json::array();
    auto const found = object.find(name);
    return found != object.end() && found->is_array() ? *found : none;
}

std::vector<std::string> column_names(json const& table)
{
    std::vector<std::string> names;
    for (auto const& column : list_at(table, "columns"))
        names.push_back(text_at(column, "name"));
    return names;
}

void add_foreign_keys(json const& table, std::string const& referred, std::vector<table_reference>& found)
{
    for (auto const& key : list_at(table, "foreignKeys")) {
        auto const& columns = list_at(key, "columns");
        if (text_at(key, "referencedTable") == referred && columns.size() == 1 && columns[0].is_string())
            found.push_back({text_at(table, "name"), columns[0].get<std::string>(), std::nullopt});
    }
}

void add_polymorphic(json const& table, std::vector<table_reference>& found)
{
    auto const names = column_names(table);
    auto const has = [&](std::string const& name) {
        return std::find(names.begin(), names.end(), name) != names.end();
    };
    auto const is_key = [&](std::string const& name) {
        auto const& keys = list_at(table, "foreignKeys");
        return std::any_of(keys.begin(), keys.end(), [&](json const& key) {
            auto const& columns = list_at(key, "columns");
            return std::find(columns.begin(), columns.end(), json(name)) != columns.end();
        });
    };
    for (auto const& name : names) {
        if (!name.ends_with(id_end) || is_key(name)) continue;
        auto type = name.substr(0, name.size() - id_end.size()) + "_type";
        if (has(type)) found.push_back({text_at(table, "name"), name, std::move(type)});
    }
}

}

result<std::vector<table_reference>, schema_gap> find_references(schema_texts const& texts, std::string const& referred)
{
    auto const stored = json::parse(texts.tables, nullptr, false);
    if (stored.is_discarded() || !stored.is_object())
        return schema_gap{"cannot parse Strapi's strapi_database_schema; start Strapi once, which writes it again"};
    std::vector<table_reference> found;
    for (auto const& table : list_at(stored, "tables")) {
        add_foreign_keys(table, referred, found);
        add_polymorphic(table, found);
    }
    return found;
}

}
