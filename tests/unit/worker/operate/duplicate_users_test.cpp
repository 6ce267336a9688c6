// Which of a Clerk user's several rows is kept, and which tables of a site refer to a user.

#include "worker/operate/duplicate_users.hpp"
#include "worker/operate/user_references.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

using namespace clerk_strapi::worker;
using nlohmann::json;

TEST_CASE("duplicate users: keeps the only row with content; with none, the lowest id [I4]")
{
    duplicate_row const bare_3{3, false, {}};
    duplicate_row const bare_5{5, false, {}};
    duplicate_row const full_4{4, false, {{"articles_author_lnk", 2}}};
    duplicate_row const full_6{6, false, {{"orders_user_lnk", 1}}};
    struct
    {
        char const* name;
        std::vector<duplicate_row> rows;
        std::optional<std::int64_t> kept;
    } const table[] = {
        {"no content", {bare_3, bare_5}, 3},
        {"no content, another order", {bare_5, bare_3}, 3},
        {"content on the second", {bare_3, full_4, bare_5}, 4},
        {"content on the lowest", {full_4, bare_5}, 4},
        {"content on two", {bare_3, full_4, full_6}, std::nullopt},
        {"nothing", {}, std::nullopt},
    };
    for (auto const& row : table) {
        CAPTURE(row.name);
        CHECK(row_to_keep({"user_1", row.rows}) == row.kept);
    }
}

TEST_CASE("user references: finds links of either side, components, columns and media [I10]")
{
    auto const key = [](char const* column, char const* table) {
        return json{{"columns", json::array({column})}, {"referencedTable", table}};
    };
    auto const table = [](char const* name, std::vector<char const*> const& columns, json const& keys) {
        json made{{"name", name}, {"columns", json::array()}, {"foreignKeys", keys}};
        for (auto const* const column : columns)
            made["columns"].push_back({{"name", column}});
        return made;
    };
    json const stored{{"tables",
        json::array({
            table("up_users", {"id", "created_by_id"}, json::array({key("created_by_id", "admin_users")})),
            table("articles_author_lnk", {"id", "article_id", "user_id"},
                json::array({key("article_id", "articles"), key("user_id", "up_users")})),
            table("up_users_friends_lnk", {"id", "user_id", "inv_user_id"},
                json::array({key("user_id", "up_users"), key("inv_user_id", "up_users")})),
            table("up_users_cmps", {"id", "entity_id", "cmp_id", "component_type"},
                json::array({key("entity_id", "up_users")})),
            table("orders", {"id", "buyer_id"}, json::array({key("buyer_id", "up_users")})),
            table("files_related_mph", {"id", "file_id", "related_id", "related_type"},
                json::array({key("file_id", "files")})),
            table("pages", {"id", "document_id"}, json::array()),
        })}};
    schema_texts texts;
    texts.tables = stored.dump();
    auto const found = find_references(texts, "up_users");
    REQUIRE(found.has_value());
    std::vector<table_reference> const expected{
        {"articles_author_lnk", "user_id", std::nullopt},
        {"up_users_friends_lnk", "user_id", std::nullopt},
        {"up_users_friends_lnk", "inv_user_id", std::nullopt},
        {"up_users_cmps", "entity_id", std::nullopt},
        {"orders", "buyer_id", std::nullopt},
        {"files_related_mph", "related_id", "related_type"},
    };
    CHECK(*found == expected);
    texts.tables = "not JSON";
    CHECK_FALSE(find_references(texts, "up_users").has_value());
}
