// The tables of a Strapi site, from what Strapi stored about itself.

#include "worker/decide/strapi_schema.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <map>

#include <nlohmann/json.hpp>

using namespace clerk_strapi::worker;
using nlohmann::json;

namespace
{

json link(std::string const& name, std::string const& a_column, std::string const& a_table, std::string const& b_column,
    std::string const& b_table, std::vector<std::string> const& order_columns = {})
{
    json columns = json::array({{{"name", "id"}}, {{"name", a_column}}, {{"name", b_column}}});
    for (auto const& column : order_columns)
        columns.push_back({{"name", column}});
    return {{"name", name}, {"columns", columns},
        {"foreignKeys",
            json::array({{{"columns", json::array({a_column})}, {"referencedTable", a_table}},
                {{"columns", json::array({b_column})}, {"referencedTable", b_table}}})}};
}

// The smallest site. Each case changes one part.
struct site
{
    json types{
        {"plugin::users-permissions.user", {{"collectionName", "up_users"}, {"attributes", json::object()}}},
        {"plugin::users-permissions.role", {{"collectionName", "up_roles"}, {"attributes", json::object()}}},
        {"api::user-profile.user-profile",
            {{"collectionName", "user_profiles"}, {"options", {{"draftAndPublish", true}}},
                {"pluginOptions", {{"i18n", {{"localized", true}}}}},
                {"attributes",
                    {{"name", {{"type", "string"}}}, {"planLevel", {{"type", "integer"}, {"default", 7}}},
                        {"owner",
                            {{"type", "relation"}, {"relation", "manyToOne"},
                                {"target", "plugin::users-permissions.user"}}}}}}},
    };
    json tables = json::array({link("up_users_role_lnk", "user_id", "up_users", "role_id", "up_roles", {"user_ord"}),
        link("shortened_by_3f2a1_lnk", "user_profile_id", "user_profiles", "user_id", "up_users",
            {"user_profile_ord"})});
    schema_texts texts;

    site()
    {
        for (auto const* const column : {"id", "document_id", "username", "email", "provider", "confirmed", "blocked",
                 "created_at", "updated_at", "published_at", "clerk_id", "full_name"})
            texts.columns["up_users"][column] = "text";
        for (auto const* const column :
            {"id", "document_id", "name", "created_at", "updated_at", "published_at", "locale", "plan_level"})
            texts.columns["user_profiles"][column] = "integer";
        texts.columns["shortened_by_3f2a1_lnk"] = {{"user_profile_id", "integer"}, {"user_id", "integer"}};
        texts.id_defaults = {{"up_users", "nextval('a')"}, {"user_profiles", "nextval('b')"}};
        texts.default_locale = "\"fr\"";
    }

    auto parse(std::vector<std::string> const& profiles = {"user-profile"})
    {
        texts.content_types = types.dump();
        texts.tables = json{{"tables", tables}}.dump();
        return parse_strapi_schema(texts, profiles);
    }
    json& profile() { return types["api::user-profile.user-profile"]; }
};

}

TEST_CASE("schema: derives column names from attributes as lodash does")
{
    struct
    {
        char const* name;
        char const* expected;
    } const table[] = {{"fullName", "full_name"}, {"clerkId", "clerk_id"}, {"m2oProfiles", "m_2_o_profiles"},
        {"HTMLBody", "html_body"}, {"user", "user"}, {"user-profile", "user_profile"}, {"planLevel2", "plan_level_2"},
        {"ABC", "abc"}, {"aB", "a_b"}};
    for (auto const& row : table)
        CHECK(snake_case(row.name) == row.expected);
}

TEST_CASE("schema: finds tables, links and columns by their references, not by name")
{
    site one;
    auto const schema = one.parse();
    REQUIRE(schema.has_value());
    CHECK(schema->users_table == "up_users");
    CHECK(schema->role_link.owner_column == "user_id");
    CHECK(schema->role_link.order_column == "user_ord");
    REQUIRE(schema->profiles.size() == 1);
    auto const& profile = schema->profiles[0];
    CHECK(profile.link.name == "shortened_by_3f2a1_lnk");
    CHECK(profile.link.owner_column == "user_profile_id");
    CHECK(profile.link.order_column == "user_profile_ord");
    CHECK(profile.draft_and_publish);
    CHECK(profile.localized);
    REQUIRE(profile.defaults.size() == 1);
    CHECK(profile.defaults[0].column == "plan_level");
    CHECK(profile.defaults[0].text == "7");
    CHECK(schema->default_locale == "fr");
}

TEST_CASE("schema: of two relations to the user, uses the one called user")
{
    site one;
    one.profile()["attributes"]["user"] = one.profile()["attributes"]["owner"];
    one.tables.push_back(link("user_profiles_user_lnk", "user_profile_id", "user_profiles", "user_id", "up_users"));
    one.texts.columns["user_profiles_user_lnk"] = {{"user_profile_id", "integer"}, {"user_id", "integer"}};
    auto const schema = one.parse();
    REQUIRE(schema.has_value());
    CHECK(schema->profiles[0].link.name == "user_profiles_user_lnk");
}

TEST_CASE("schema: of several link tables, uses the one of the relation [I10]")
{
    site one;
    auto& user = one.profile()["attributes"]["user"];
    user = one.profile()["attributes"]["owner"];
    auto const add = [&](std::string const& name) {
        one.tables.push_back(link(name, "user_profile_id", "user_profiles", "user_id", "up_users"));
        one.texts.columns[name] = {{"user_profile_id", "integer"}, {"user_id", "integer"}};
    };
    add("my_user_profiles_friends_lnk"); // holds _user_ too
    add("my_user_profiles_user_lnk");
    auto const own = one.parse();
    REQUIRE(own.has_value());
    CHECK(own->profiles[0].link.name == "my_user_profiles_user_lnk");
    add("up_users_card_lnk");
    user["mappedBy"] = "card"; // the user's side owns the relation, and its link table
    auto const mapped = one.parse();
    REQUIRE(mapped.has_value());
    CHECK(mapped->profiles[0].link.name == "up_users_card_lnk");
    user["mappedBy"] = "other";
    auto const none = one.parse();
    REQUIRE_FALSE(none.has_value());
    CHECK(none.error().what.find("_other_lnk") != std::string::npos);
}

TEST_CASE("schema: the message names the missing part [E9]")
{
    struct
    {
        char const* name;
        std::function<void(site&)> spoil;
        char const* expected;
    } const table[] = {
        {"plugin off", [](site& s) { s.texts.columns["up_users"].erase("clerk_id"); }, "enable the Strapi plugin"},
        {"no such type", [](site& s) { s.types.erase("api::user-profile.user-profile"); }, "no content type"},
        {"no name", [](site& s) { s.profile()["attributes"].erase("name"); }, "no text attribute 'name'"},
        {"no relation", [](site& s) { s.profile()["attributes"].erase("owner"); }, "no relation to"},
        {"wrong relation", [](site& s) { s.profile()["attributes"]["owner"]["relation"] = "manyToMany"; },
            "manyToMany"},
        {"no link table", [](site& s) { s.tables.erase(1); }, "no link table"},
        {"default without a column", [](site& s) { s.texts.columns["user_profiles"].erase("plan_level"); },
            "plan_level"},
        {"table gone", [](site& s) { s.texts.columns.erase("user_profiles"); }, "is missing"},
        {"no sequence", [](site& s) { s.texts.id_defaults.erase("up_users"); }, "no sequence"},
        {"not Strapi", [](site& s) { s.types = json::object(); }, "no content type plugin::users-permissions.user"},
    };
    for (auto const& row : table) {
        CAPTURE(row.name);
        site one;
        row.spoil(one);
        auto const schema = one.parse();
        REQUIRE_FALSE(schema.has_value());
        CAPTURE(schema.error().what);
        CHECK(schema.error().what.find(row.expected) != std::string::npos);
    }
    for (auto const& [name, columns] : std::map<std::string, std::vector<std::string>>{
             {"up_users",
                 {"id", "document_id", "username", "email", "provider", "confirmed", "blocked", "created_at",
                     "updated_at", "published_at", "clerk_id", "full_name"}},
             {"user_profiles", {"id", "document_id", "name", "created_at", "updated_at", "published_at", "locale"}}}) {
        for (auto const& column : columns) {
            site one;
            one.texts.columns[name].erase(column);
            auto const schema = one.parse();
            CAPTURE(column);
            REQUIRE_FALSE(schema.has_value());
            CHECK(schema.error().what.find("the table " + name + " has no column " + column) != std::string::npos);
        }
    }
    site broken;
    broken.texts.content_types = "not JSON";
    CHECK_FALSE(parse_strapi_schema(broken.texts, {}).has_value());
}
