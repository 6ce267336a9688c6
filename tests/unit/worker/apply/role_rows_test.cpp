// strapi_store with ROLE_MAP, on a real PostgreSQL.

#include "tests/support/strapi_checks.hpp"

#include <doctest/doctest.h>

using namespace clerk_strapi;
using namespace clerk_strapi::worker;
using namespace clerk_strapi::tests;

namespace
{

store_settings settings_with(std::string const& text)
{
    auto settings = site_database::settings();
    auto parsed = parse_role_map(text);
    REQUIRE(parsed.has_value());
    settings.roles = *parsed;
    settings.roles_text = text;
    return settings;
}

constexpr auto map_text = R"({"from":"role","map":{"staff":"author","admin":"editor"},"precedence":["admin","staff"],)"
                          R"("allowed":["author","editor","authenticated"]})";

void make_roles(site_database& site)
{
    site.execute("insert into up_roles (document_id, name, type) values ('a', 'Author', 'author'), ('e', 'Editor', "
                 "'editor')");
}

user_event hinted(std::string const& id, int version, std::vector<std::string> hints)
{
    auto event = updated(id, version);
    event.desired.role_hints = std::move(hints);
    return event;
}

std::string role_of(site_database& site, std::string const& id)
{
    return site
        .value("select string_agg(r.type, ',') from up_users u join up_users_role_lnk l on l.user_id = u.id join "
               "up_roles r on r.id = l.role_id where u.clerk_id = '"
            + id + "'")
        .value_or("none");
}

void set_role(site_database& site, std::string const& id, std::string const& type)
{
    site.execute("update up_users_role_lnk set role_id = (select id from up_roles where type = '" + type
        + "') where user_id = (select id from up_users where clerk_id = '" + id + "')");
}

}

TEST_CASE("roles: ROLE_MAP assigns the role at creation, and replaces it when it changes [E8]")
{
    if (!have_postgres("mapped roles")) return;
    site_database site;
    make_roles(site);
    auto store = site.store(settings_with(map_text));
    REQUIRE(store
                .apply({hinted("user_a", 1, {"staff"}), hinted("user_b", 1, {}),
                           hinted("user_c", 1, {"staff", "admin"}), hinted("user_d", 1, {"root"})},
                    {})
                .status
        == apply_status::applied);
    CHECK(role_of(site, "user_a") == "author");
    CHECK(role_of(site, "user_b") == "authenticated");
    CHECK(role_of(site, "user_c") == "editor"); // precedence
    CHECK(role_of(site, "user_d") == "authenticated"); // not in the map
    CHECK(to_string(apply_one(store, hinted("user_a", 2, {"admin"}))) == "updated");
    CHECK(role_of(site, "user_a") == "editor");
    CHECK(site.count("select count(*) - count(distinct user_ord) from up_users_role_lnk where role_id = (select id "
                     "from up_roles where type = 'editor')")
        == 0);
    apply_one(store, hinted("user_a", 3, {}));
    CHECK(role_of(site, "user_a") == "authenticated");
    check_one_of_each(site);
}

TEST_CASE("roles: a role set by hand stays, and so does a link removed by hand [I10]")
{
    if (!have_postgres("roles by hand")) return;
    site_database site;
    make_roles(site);
    auto store = site.store(settings_with(map_text));
    REQUIRE(store.apply({hinted("user_a", 1, {"staff"}), hinted("user_b", 1, {"staff"})}, {}).status
        == apply_status::applied);
    set_role(site, "user_a", "public");
    site.execute("delete from up_users_role_lnk where user_id = (select id from up_users where clerk_id = 'user_b')");
    REQUIRE(store.apply({hinted("user_a", 2, {"admin"}), hinted("user_b", 2, {"admin"})}, {}).status
        == apply_status::applied);
    CHECK(role_of(site, "user_a") == "public");
    CHECK(role_of(site, "user_b") == "none");
    // An unchanged role type restores no link.
    set_role(site, "user_a", "author");
    apply_one(store, hinted("user_a", 3, {"admin"}));
    CHECK(role_of(site, "user_a") == "author");
}

TEST_CASE("roles: a changed ROLE_MAP takes effect at the user's next event of any kind")
{
    if (!have_postgres("a changed map")) return;
    site_database site;
    make_roles(site);
    auto plain = site.store(site_database::settings());
    auto const event = hinted("user_a", 1, {"staff"});
    apply_one(plain, event);
    CHECK(role_of(site, "user_a") == "authenticated");
    auto mapped = site.store(settings_with(map_text));
    CHECK(to_string(apply_one(mapped, event)) == "updated");
    CHECK(role_of(site, "user_a") == "author");
    auto again = site.store(site_database::settings());
    CHECK(to_string(apply_one(again, event)) == "updated");
    CHECK(role_of(site, "user_a") == "authenticated");
    // Strapi's own default changes: existing users keep their role.
    site.execute(
        "update strapi_core_store_settings set value = replace(value, '\"authenticated\"', '\"author\"') where "
        "key = 'plugin_users-permissions_advanced'");
    apply_one(again, hinted("user_a", 2, {"staff"}));
    apply_one(again, updated("user_new", 1));
    CHECK(role_of(site, "user_a") == "authenticated");
    CHECK(role_of(site, "user_new") == "author");
}

TEST_CASE("roles: adopted legacy users get their mapped role; another role stays")
{
    if (!have_postgres("roles of adopted users")) return;
    site_database site;
    make_roles(site);
    make_seed_row(site, "user_a");
    make_seed_row(site, "user_b");
    set_role(site, "user_b", "public");
    auto store = site.store(settings_with(map_text));
    REQUIRE(store.apply({hinted("user_a", 1, {"admin"}), hinted("user_b", 1, {"admin"})}, {}).status
        == apply_status::applied);
    CHECK(role_of(site, "user_a") == "editor");
    CHECK(role_of(site, "user_b") == "public");
}

TEST_CASE("roles: a missing role pauses the worker at the start, until it exists [I9]")
{
    if (!have_postgres("a missing role")) return;
    site_database site;
    auto store = site.store(settings_with(map_text));
    auto const checked = store.check();
    CHECK(checked.status == apply_status::mismatched);
    CHECK(checked.detail.find("ROLE_MAP") != std::string::npos);
    CHECK(checked.detail.find("'author'") != std::string::npos);
    CHECK(store.apply({hinted("user_a", 1, {"admin"})}, {}).status == apply_status::mismatched);
    make_roles(site);
    apply_one(store, hinted("user_a", 1, {"admin"}));
    site.execute("delete from up_roles where type = 'editor'"); // while the worker runs
    CHECK(store.apply({hinted("user_b", 1, {"admin"})}, {}).status == apply_status::mismatched);
    site.execute("insert into up_roles (document_id, name, type) values ('e', 'Editor', 'editor')");
    apply_one(store, hinted("user_b", 1, {"admin"}));
    CHECK(role_of(site, "user_b") == "editor");
}
