// strapi_store on an unexpected site: columns dropped and recreated, another schema, missing parts.

#include "tests/support/strapi_checks.hpp"

#include <doctest/doctest.h>

using namespace clerk_strapi;
using namespace clerk_strapi::worker;
using namespace clerk_strapi::tests;

TEST_CASE("schema: restores dropped columns where id and document id match")
{
    if (!have_postgres("dropped columns")) return;
    site_database site;
    auto store = site.store(site_database::settings());
    apply_one(store, created("user_x", 1));
    apply_one(store, created("user_y", 1));
    auto const id = site.value(of_user("id", "user_x"));
    site.execute("alter table up_users drop column clerk_id, drop column full_name");
    auto const applied = store.apply({updated("user_x", 2)}, {});
    CHECK(applied.status == apply_status::mismatched);
    auto const checked = store.check();
    CHECK(checked.status == apply_status::mismatched);
    CHECK(checked.detail.find("plugin") != std::string::npos);
    site.execute("alter table up_users add column clerk_id varchar(255), add column full_name varchar(255)");
    CHECK(store.check().status == apply_status::mismatched); // the unique index was dropped with the column
    site.execute("create unique index on up_users (clerk_id)");
    site.execute("update up_users set document_id = 'another' where username = 'user_y_1'");
    apply_one(store, updated("user_x", 2));
    CHECK(site.value(of_user("id", "user_x")) == id);
    CHECK(site.value(of_user("full_name", "user_x")) == "Name 2");
    apply_one(store, updated("user_y", 2));
    CHECK(site.count("select count(*) from up_users where document_id = 'another' and clerk_id is null") == 1);
}

TEST_CASE("schema: a running worker notices a changed Strapi schema")
{
    if (!have_postgres("changed schema")) return;
    site_database site;
    auto store = site.store(site_database::settings());
    apply_one(store, created("user_a", 1));
    site.execute("alter table user_profiles rename to moved_profiles");
    CHECK(store.apply({created("user_b", 1)}, {}).status == apply_status::mismatched);
    site.execute("alter table moved_profiles rename to user_profiles");
    apply_one(store, created("user_b", 1));
    check_one_of_each(site);
}

TEST_CASE("schema: the message names the missing part and the fix")
{
    if (!have_postgres("missing parts")) return;
    site_database site{site_database::setup::tables_only};
    auto const detail_of = [&](store_settings const& settings) {
        auto store = site.store(settings);
        auto const result = store.check();
        CHECK(result.status == apply_status::mismatched);
        return result.detail;
    };
    CHECK(detail_of(site_database::settings()).find("clerk-worker migrate") != std::string::npos);
    auto settings = site_database::settings();
    settings.sql.time_zone = "Mars/Olympus";
    CHECK(detail_of(settings).find("STRAPI_TIMEZONE") != std::string::npos);
    settings = site_database::settings();
    settings.profile_types = {"nobody"};
    CHECK(detail_of(settings).find("STRAPI_PROFILE_CONTENT_TYPES") != std::string::npos);
}

TEST_CASE("migrate: lists duplicates and changes no Strapi row; may run again")
{
    if (!have_postgres("migrate")) return;
    site_database site{site_database::setup::tables_only};
    make_seed_row(site, "user_twice");
    site.execute("insert into up_users (document_id, username, email, clerk_id) values ('b', 'b', 'b@example.com', "
                 "'user_twice')");
    make_seed_row(site, "user_once");
    auto const before = site.value("select string_agg(u::text, ';' order by id) from up_users u");
    CHECK(site.migrate() == 3);
    CHECK(site.value("select string_agg(u::text, ';' order by id) from up_users u") == before);
    site.execute("delete from up_users where id = (select max(id) from up_users where clerk_id = 'user_twice')");
    CHECK(site.migrate() == 0);
    CHECK(site.migrate() == 0);
    auto store = site.store(site_database::settings());
    CHECK(to_string(apply_one(store, updated("user_twice", 1))) == "adopted");
    CHECK(site.value(of_user("provider || ' ' || full_name", "user_twice")) == "clerk Name 1");
}

TEST_CASE("migrate: upgrades an older clerk_sync; the worker reports it until then [I9]")
{
    if (!have_postgres("an older clerk_sync")) return;
    site_database site;
    auto store = site.store(site_database::settings());
    apply_one(store, created("user_a", 1));
    site.execute(
        "alter table clerk_sync.user_state drop column waits_for, drop column role_hints, drop column role_answer");
    auto const checked = store.check();
    CHECK(checked.status == apply_status::mismatched);
    CHECK(checked.detail.find("clerk-worker migrate") != std::string::npos);
    CHECK(site.migrate() == 0);
    CHECK(to_string(apply_one(store, updated("user_a", 2))) == "updated");
    CHECK(site.count("select count(*) from pg_indexes where schemaname = 'clerk_sync' and indexname = "
                     "'user_state_waits_for'")
        == 1);
}
