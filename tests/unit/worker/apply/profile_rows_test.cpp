// Profiles that editors and administrators change, and duplicates of the legacy plugin.

#include "tests/support/strapi_checks.hpp"
#include "worker/decide/document_id.hpp"

#include <doctest/doctest.h>

using namespace clerk_strapi;
using namespace clerk_strapi::worker;
using namespace clerk_strapi::tests;

namespace
{

constexpr auto profile_of =
    "select p.%s from user_profiles p join user_profiles_user_lnk l on l.user_profile_id = p.id "
    "join up_users u on u.id = l.user_id where u.clerk_id = '%s'";

std::string of_profile(std::string const& column, std::string const& id)
{
    std::string sql = profile_of;
    sql.replace(sql.find("%s"), 2, column);
    return sql.replace(sql.find("%s"), 2, id);
}

void set_default(site_database& site, std::string const& attribute, std::string const& json)
{
    site.execute("update strapi_core_store_settings set value = jsonb_set(value::jsonb, "
                 "'{api::user-profile.user-profile,attributes,"
        + attribute + ",default}', '" + json + "'::jsonb)::text where key = 'strapi_content_types_schema'");
}

}

TEST_CASE("profile: writes a default as text, with braces, quotes and template names [E3]")
{
    if (!have_postgres("defaults with braces")) return;
    site_database site;
    set_default(site, "plan", R"("{now} {users} {} ''x'' \"")");
    auto store = site.store(site_database::settings());
    apply_one(store, created("user_a", 1));
    CHECK(site.value(of_profile("plan", "user_a")) == R"({now} {users} {} 'x' ")");
}

TEST_CASE("profile: links an unlinked profile again, and creates no second one [I4]")
{
    if (!have_postgres("lost links")) return;
    for (auto const status : {profile_status::draft, profile_status::published}) {
        site_database site;
        auto settings = site_database::settings();
        settings.sql.profiles = status;
        auto store = site.store(settings);
        apply_one(store, created("user_a", 1));
        site.execute("delete from user_profiles_user_lnk; delete from member_profiles_user_lnk");
        CHECK(to_string(apply_one(store, updated("user_a", 2))) == "updated");
        auto const rows = status == profile_status::draft ? 1 : 2;
        CHECK(site.count("select count(*) from user_profiles") == 1);
        CHECK(site.count("select count(*) from member_profiles") == rows);
        CHECK(site.count("select count(*) from member_profiles_user_lnk") == rows);
        CHECK(site.value(of_profile("name", "user_a")) == "Name 2");
    }
}

TEST_CASE("profile: one moved to another user stays there; its document gets no second row [I4 I10]")
{
    if (!have_postgres("given profiles")) return;
    site_database site;
    auto store = site.store(site_database::settings());
    apply_one(store, created("user_a", 1));
    apply_one(store, created("user_b", 1));
    site.execute("update user_profiles_user_lnk set user_id = (select id from up_users where clerk_id = 'user_b')");
    apply_one(store, updated("user_a", 2));
    auto const derived = profile_document_id("user_a", "api::user-profile.user-profile");
    CHECK(site.count("select count(*) from user_profiles where document_id = '" + derived + "'") == 1);
    auto const drawn = site.value(of_profile("document_id", "user_a")).value_or("");
    CHECK(drawn != derived);
    CHECK(drawn.size() == 24);
    CHECK(site.count("select count(*) from (" + of_profile("id", "user_b") + ") as profiles") == 2);
}

TEST_CASE("profile: found by document id after state and user were lost [I2 I4]")
{
    if (!have_postgres("rebuilt state")) return;
    site_database site;
    auto store = site.store(site_database::settings());
    apply_one(store, created("user_a", 1));
    site.execute("delete from clerk_sync.user_state; delete from up_users");
    CHECK(to_string(apply_one(store, created("user_a", 1))) == "created");
    check_one_of_each(site);
    CHECK(site.count("select count(*) from user_profiles") == 1);
}

TEST_CASE("profile: both deletion policies reach every row of the document, linked or not [I3]")
{
    if (!have_postgres("all rows of a document")) return;
    for (auto const policy : {delete_policy::remove, delete_policy::block}) {
        site_database site;
        auto settings = site_database::settings();
        settings.on_delete = policy;
        auto store = site.store(settings);
        apply_one(store, created("user_a", 1));
        apply_one(store, created("user_b", 1));
        auto const documents = site.value(of_profile("document_id", "user_a")).value_or("");
        site.execute(
            "insert into user_profiles (document_id, name, locale) values ('" + documents + "', 'Comtesse', 'fr')");
        apply_one(store, deleted("user_a", 2));
        auto const rows = "select count(*) from user_profiles where document_id = '" + documents + "'";
        CHECK(site.count(rows) == (policy == delete_policy::remove ? 0 : 2));
        CHECK(site.count(rows + " and name is not null") == 0);
        CHECK(site.value(of_profile("name", "user_b")) == "Name 1");
    }
}

TEST_CASE("migrate: merges duplicates on request, all or none, then creates the index [I4]")
{
    if (!have_postgres("merging")) return;
    site_database site{site_database::setup::tables_only};
    for (auto const* const id : {"user_a", "user_b", "user_c"})
        make_seed_row(site, id);
    site.execute(
        "insert into up_users (document_id, username, email, clerk_id) select 'second' || id, username, email, "
        "clerk_id from up_users where clerk_id <> 'user_c'");
    site.execute("insert into up_users_role_lnk (user_id, role_id, user_ord) select id, 1, 1 from up_users where "
                 "document_id like 'second%'");
    auto const rows = [&] {
        return site.value("select string_agg(clerk_id || id, ' ' order by clerk_id, id) from up_users").value_or("");
    };
    auto const at_first = rows();
    auto const first_a = site.value("select min(id) from up_users where clerk_id = 'user_a'").value_or("");
    auto const second_a = site.value("select max(id) from up_users where clerk_id = 'user_a'").value_or("");
    // A table of Strapi's schema, with a user's content.
    site.execute("create table orders (id serial, buyer_id int)");
    site.execute("update strapi_database_schema set schema = jsonb_insert(schema::jsonb, '{tables,0}', "
                 "'{\"name\": \"orders\", \"columns\": [], \"foreignKeys\": [{\"columns\": [\"buyer_id\"], "
                 "\"referencedTable\": \"up_users\"}]}')::json");
    site.execute("insert into orders (buyer_id) values (" + second_a + ")");
    CHECK(site.migrate() == 3);
    CHECK(site.migrate({.merge_duplicates = true, .dry_run = true}) == 3);
    CHECK(rows() == at_first);
    site.execute("insert into orders (buyer_id) values (" + first_a + ")"); // now both rows of user_a have content
    CHECK(site.migrate({.merge_duplicates = true}) == 3);
    CHECK(site.count("select count(*) from up_users where clerk_id = 'user_a'") == 2);
    CHECK(site.count("select count(*) from up_users where clerk_id = 'user_b'") == 1);
    CHECK(site.store(site_database::settings()).check().status == apply_status::mismatched); // no unique index yet
    site.execute("delete from orders where buyer_id = " + first_a);
    CHECK(site.migrate({.merge_duplicates = true}) == 0);
    CHECK(site.value(of_user("id", "user_a")) == second_a);
    CHECK(site.count("select count(*) from up_users_role_lnk") == 3);
    CHECK(site.store(site_database::settings()).check().status == apply_status::applied);
}
