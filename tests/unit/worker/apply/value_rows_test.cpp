// strapi_store on a real PostgreSQL: e-mail and username conflicts in any order of events, and the linking of local
// rows. The rules are in worker/decide/README.md.

#include "tests/support/conflict_checks.hpp"
#include "worker/decide/document_id.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <random>
#include <thread>

using namespace clerk_strapi;
using namespace clerk_strapi::worker;
using namespace clerk_strapi::tests;

namespace
{

std::string apply_all(strapi_store& store, std::vector<user_event> const& events)
{
    auto const result = store.apply(events, {});
    CAPTURE(result.detail);
    REQUIRE(result.status == apply_status::applied);
    return decisions_of(result);
}

std::string values_of(site_database& site, std::string const& id)
{
    return site.value(of_user("email || ' ' || username", id)).value_or("none");
}

// A local user, as Strapi's registration creates one. Returns the id.
std::string make_local(site_database& site, std::string const& username, std::string const& email)
{
    site.execute("insert into up_users (document_id, username, email, provider, password, reset_password_token, "
                 "confirmation_token, confirmed, blocked, created_at, updated_at) values ('local' || '"
        + username + "', '" + username + "', '" + email
        + "', 'local', 'hash', 'reset', 'confirm', false, false, '2024-01-01', '2024-01-01')");
    auto const id = site.value("select max(id) from up_users").value();
    site.execute("insert into up_users_role_lnk (user_id, role_id, user_ord) values (" + id + ", 2, 1)");
    return id;
}

}

TEST_CASE("conflict: the better candidate wins in any order, in one batch or two [I2 E5]")
{
    if (!have_postgres("two candidates")) return;
    struct
    {
        char const* name;
        user_event winner;
        user_event loser;
    } const table[] = {
        {"newer", asking("user_aaaaaa", 2, "same@x", "same"), asking("user_bbbbbb", 1, "same@x", "same")},
        {"verified", asking("user_aaaaaa", 1, "same@x", "same"), asking("user_bbbbbb", 2, "same@x", "same", false)},
        {"smaller id", asking("user_aaaaaa", 1, "same@x", "same"), asking("user_bbbbbb", 1, "same@x", "same")},
    };
    for (auto const& row : table) {
        auto const same_version = row.winner.version.updated_at_ms == row.loser.version.updated_at_ms;
        for (auto const mode : {0, 1, 2, 3}) {
            CAPTURE(row.name);
            CAPTURE(mode);
            site_database site;
            auto store = site.store(site_database::settings());
            auto first = row.winner;
            auto second = row.loser;
            if (same_version) second.version = first.version; // the Clerk ids decide
            if (mode % 2 == 1) std::swap(first, second);
            if (mode < 2) {
                CHECK(apply_all(store, {first, second}) == "email placeholder, username placeholder");
            } else {
                CHECK(apply_all(store, {first}).empty());
                CHECK(apply_all(store, {second})
                    == (mode == 2 ? "email placeholder, username placeholder" : "email displaced, username displaced"));
            }
            CHECK(values_of(site, "user_aaaaaa") == "same@x same");
            CHECK(values_of(site, "user_bbbbbb") == "user_bbbbbb@clerk.user same-bbbbbb");
            CHECK(site.count("select count(*) from clerk_sync.user_state where waits_for = '{same,same@x}'") == 1);
            check_one_of_each(site);
        }
    }
}

TEST_CASE("conflict: a released value goes to the next waiting user in the same transaction [I2 E5]")
{
    if (!have_postgres("released values")) return;
    struct
    {
        char const* name;
        user_event leaves;
    } const table[] = {
        {"deleted", deleted("user_cccccc", 9)},
        {"another address and name", asking("user_cccccc", 9, "other@x", "other")},
        {"unverified now", asking("user_cccccc", 9, "same@x", "same", false)},
    };
    for (auto const& row : table) {
        for (auto const policy : {delete_policy::remove, delete_policy::block}) {
            CAPTURE(row.name);
            site_database site;
            auto settings = site_database::settings();
            settings.on_delete = policy;
            auto store = site.store(settings);
            apply_all(store,
                {asking("user_aaaaaa", 1, "same@x", "same"), asking("user_bbbbbb", 2, "same@x", "same"),
                    asking("user_cccccc", 3, "same@x", "same")});
            CHECK(values_of(site, "user_cccccc") == "same@x same");
            auto const decided = apply_all(store, {row.leaves});
            CHECK(decided.starts_with(row.leaves.desired.email == "same@x"
                    ? "email displaced, email healed" // (quoted)
                    : "email healed, username healed")); // (quoted)
            CHECK(values_of(site, "user_bbbbbb") == "same@x same");
            CHECK(values_of(site, "user_aaaaaa") == "user_aaaaaa@clerk.user same-aaaaaa");
            check_unique_values(site);
        }
    }
}

TEST_CASE("conflict: a value of a row removed by hand is free after the user's next event [I2 E9]")
{
    if (!have_postgres("a row removed by hand")) return;
    site_database site;
    auto store = site.store(site_database::settings());
    apply_all(store, {asking("user_aaaaaa", 1, "same@x", "a", false), asking("user_bbbbbb", 2, "same@x", "b")});
    REQUIRE(values_of(site, "user_aaaaaa") == "user_aaaaaa@clerk.user a");
    site.execute("delete from up_users where clerk_id = 'user_bbbbbb'");
    apply_all(store, {asking("user_bbbbbb", 3, "other@x", "b")});
    CHECK(values_of(site, "user_aaaaaa") == "same@x a");
    CHECK(values_of(site, "user_bbbbbb") == "other@x b");
}

TEST_CASE("conflict: a local row is linked when the better candidate stops desiring it [I2]")
{
    if (!have_postgres("a link after a release")) return;
    for (auto const& leaves : {asking("user_aaaaaa", 6, "a@x", "a"), deleted("user_aaaaaa", 6)}) {
        for (auto const policy : {delete_policy::remove, delete_policy::block}) {
            CAPTURE(to_string(leaves.kind));
            CAPTURE(policy == delete_policy::block);
            site_database site;
            auto settings = site_database::settings();
            settings.on_delete = policy;
            auto store = site.store(settings);
            auto const local = make_local(site, "local", "same@x");
            site.execute("insert into up_users (document_id, username, email, provider, clerk_id) values ('seeds', "
                         "'s', 's@x', null, 'user_aaaaaa')"); // C8: a row of the legacy plugin always stays
            apply_all(store, {asking("user_aaaaaa", 5, "same@x", "a"), asking("user_cccccc", 1, "same@x", "c")});
            REQUIRE(values_of(site, "user_cccccc") == "user_cccccc@clerk.user c");
            apply_all(store, {leaves});
            CHECK(values_of(site, "user_cccccc") == "same@x c");
            CHECK(site.value(of_user("id", "user_cccccc")) == local);
        }
    }
}

TEST_CASE("conflict: an update makes a waiting user the winner when its rank is now better [I2]")
{
    if (!have_postgres("an improved rank")) return;
    site_database site;
    auto store = site.store(site_database::settings());
    apply_all(store, {asking("user_aaaaaa", 2, "same@x", "a"), asking("user_bbbbbb", 1, "same@x", "b")});
    CHECK(apply_all(store, {asking("user_bbbbbb", 3, "same@x", "b")}) == "email displaced, email healed"); // (quoted)
    CHECK(all_values(site) == "user_aaaaaa user_aaaaaa@clerk.user a, user_bbbbbb same@x b");
    // An update of the winner keeps the value, and counts nothing.
    CHECK(apply_all(store, {asking("user_bbbbbb", 4, "same@x", "b")}).empty());
    // Older and duplicate events change nothing.
    CHECK(apply_all(store, {asking("user_aaaaaa", 2, "same@x", "a"), asking("user_bbbbbb", 1, "same@x", "b")}).empty());
    CHECK(all_values(site) == "user_aaaaaa user_aaaaaa@clerk.user a, user_bbbbbb same@x b");
}

TEST_CASE("conflict: the worked example of worker/decide/README.md [I2 E5 E7]")
{
    if (!have_postgres("the worked example")) return;
    site_database site;
    auto store = site.store(site_database::settings());
    auto const waiting = [&](std::string const& id) {
        return site.value("select waits_for::text from clerk_sync.user_state where clerk_id = '" + id + "'")
            .value_or("none");
    };
    auto const local = make_local(site, "ann", "ann@x.org");
    CHECK(apply_all(store, {asking("user_bbbbbb", 1, "bea@x.org", "ann")}) == "username placeholder");
    CHECK(values_of(site, "user_bbbbbb") == "bea@x.org ann-bbbbbb");
    CHECK(waiting("user_bbbbbb") == "{ann}");
    CHECK(apply_all(store, {asking("user_aaaaaa", 2, "ann@x.org", "a1", false)}) == "email placeholder");
    CHECK(values_of(site, "user_aaaaaa") == "user_aaaaaa@clerk.user a1");
    CHECK(waiting("user_aaaaaa") == "{ann@x.org}");
    CHECK(apply_all(store, {asking("user_cccccc", 3, "ann@x.org", "c1", false)}) == "email placeholder");
    CHECK(values_of(site, "user_cccccc") == "user_cccccc@clerk.user c1");
    CHECK(waiting("user_cccccc") == "{ann@x.org}");
    CHECK(
        apply_all(store, {asking("user_aaaaaa", 4, "ann@x.org", "a1")}) == "email linked, username healed"); // (quoted)
    CHECK(site.value(of_user("id || ' ' || email || ' ' || username", "user_aaaaaa")) == local + " ann@x.org a1");
    CHECK(values_of(site, "user_bbbbbb") == "bea@x.org ann");
    CHECK(waiting("user_aaaaaa") + waiting("user_bbbbbb") == "nonenone");
    CHECK(waiting("user_cccccc") == "{ann@x.org}");
    CHECK(apply_all(store, {deleted("user_aaaaaa", 5)}) == "email healed"); // (quoted)
    CHECK(site.count("select count(*) from up_users where id = " + local) == 0);
    CHECK(values_of(site, "user_cccccc") == "ann@x.org c1");
    check_unique_values(site);
}

TEST_CASE("conflict: compares both fields and letter case; desired values before fallbacks [E5 E6]")
{
    if (!have_postgres("cross-field values")) return;
    site_database site;
    auto store = site.store(site_database::settings());
    apply_all(store, {asking("user_aaaaaa", 1, "a@x", "b@x")});
    CHECK(apply_all(store, {asking("user_bbbbbb", 2, "b@x", "Name")}) == "username displaced");
    CHECK(values_of(site, "user_aaaaaa") == "a@x b@x-aaaaaa");
    CHECK(apply_all(store, {asking("user_cccccc", 1, "c@x", "name")}).empty());
    CHECK(apply_all(store, {asking("user_dddddd", 1, "d@x", "b@x-aaaaaa")}) == "");
    CHECK(values_of(site, "user_dddddd") == "d@x b@x-aaaaaa");
    CHECK(values_of(site, "user_aaaaaa") == "a@x user_aaaaaa");
    apply_all(store, {deleted("user_dddddd", 2)});
    CHECK(values_of(site, "user_aaaaaa") == "a@x b@x-aaaaaa");
    auto phone_only = created("user_eeeeee", 1);
    phone_only.desired.email.reset();
    phone_only.desired.username.reset();
    apply_all(store, {asking("user_ffffff", 9, "user_eeeeee@clerk.user", "user_eeeeee"), phone_only});
    CHECK(values_of(site, "user_eeeeee") == "user_eeeeee@clerk.user user_eeeeee");
    CHECK(values_of(site, "user_ffffff") == "user_ffffff@clerk.user user_eeeeee-ffffff");
    make_local(site, "z", "user_gggggg@clerk.user");
    auto another = phone_only;
    another.clerk_id = "user_gggggg";
    CHECK(apply_all(store, {another}) == "email placeholder");
    CHECK(values_of(site, "user_gggggg") == "user_gggggg-2@clerk.user user_gggggg");
    check_unique_values(site);
}

TEST_CASE("link: keeps id, role and content of the local row, and clears the password")
{
    if (!have_postgres("linking")) return;
    site_database site;
    auto store = site.store(site_database::settings());
    auto const id = make_local(site, "Local", "local@x");
    site.execute("insert into user_profiles (document_id, name) values ('own', 'Own name')");
    site.execute(
        "insert into user_profiles_user_lnk (user_profile_id, user_id) select id, " + id + " from user_profiles");
    auto const event = asking("user_aaaaaa", 1, "local@x", "Local");
    auto const result = store.apply({event}, {});
    REQUIRE(result.status == apply_status::applied);
    CHECK(decisions_of(result) == "email linked");
    CHECK(result.outcomes.front() == event_outcome::adopted);
    CHECK(site.count("select count(*) from up_users") == 1);
    CHECK(
        site.value(of_user("id || ' ' || document_id || ' ' || email || ' ' || username || ' ' || full_name || ' ' || "
                           "provider || ' ' || confirmed || ' ' || created_at",
            "user_aaaaaa"))
        == id + " localLocal local@x Local Name 1 clerk true 2024-01-01 00:00:00");
    CHECK(site.value(of_user("coalesce(password, reset_password_token, confirmation_token, 'out')", "user_aaaaaa"))
        == "out");
    CHECK(site.value("select role_id from up_users_role_lnk") == "2");
    CHECK(site.value("select name from user_profiles") == "Own name");
    CHECK(site.count("select count(*) from member_profiles") == 1);
    CHECK(to_string(apply_one(store, event)) == "duplicate");
    apply_all(store, {asking("user_aaaaaa", 2, "local@x", "renamed")});
    CHECK(site.value(of_user("id || ' ' || username", "user_aaaaaa")) == id + " renamed");
    CHECK(site.value("select name from user_profiles") == "Own name");
    check_one_of_each(site);
}

TEST_CASE("link: without a verified webhook the local row stays unchanged [E7]")
{
    if (!have_postgres("not linking")) return;
    struct
    {
        char const* name;
        user_event event;
        email_conflict policy;
        bool second_local;
        char const* decided;
    } const table[] = {
        {"unverified", asking("user_aaaaaa", 1, "local@x", "a", false), email_conflict::link, false,
            "email placeholder"},
        {"provisioning", seen("user_aaaaaa"), email_conflict::link, false, "email placeholder"},
        {"the policy", asking("user_aaaaaa", 1, "local@x", "a"), email_conflict::placeholder, false,
            "email placeholder"},
        {"two local users", asking("user_aaaaaa", 1, "local@x", "a"), email_conflict::link, true, "email not_linked"},
        {"a username that matches", asking("user_aaaaaa", 1, "local", "a"), email_conflict::link, false,
            "email placeholder"},
    };
    for (auto const& row : table) {
        CAPTURE(row.name);
        site_database site;
        auto settings = site_database::settings();
        settings.on_conflict = row.policy;
        auto store = site.store(settings);
        make_local(site, "local", "local@x");
        if (row.second_local) make_local(site, "second", "local@x");
        auto const locals = "select string_agg(u::text, ';' order by id) from up_users u where clerk_id is null";
        auto const before = site.value(locals);
        auto event = row.event;
        if (event.kind == event_kind::seen) event.desired.email = "local@x";
        CHECK(apply_all(store, {event}) == row.decided);
        CHECK(site.value(of_user("email", "user_aaaaaa")) == "user_aaaaaa@clerk.user");
        CHECK(site.value(locals) == before);
    }
}

TEST_CASE("link: a later verified event removes the own row, unless it has content")
{
    if (!have_postgres("linking later")) return;
    enum class content { none, relation, column };
    for (auto const hangs : {content::none, content::relation, content::column}) {
        CAPTURE(static_cast<int>(hangs));
        site_database site;
        if (hangs == content::relation) {
            site.execute("create table articles_author_lnk (id serial primary key, article_id int, user_id int "
                         "references up_users (id) on delete cascade)");
            site.execute(
                "update strapi_database_schema set schema = jsonb_set(schema::jsonb, '{tables}', (schema::jsonb -> "
                "'tables') || '[{\"name\":\"articles_author_lnk\",\"columns\":[],\"foreignKeys\":[{\"columns\":["
                "\"user_id\"],\"referencedTable\":\"up_users\"}]}]')::json");
        }
        if (hangs == content::column) site.execute("alter table up_users add column bio text");
        auto store = site.store(site_database::settings());
        auto const local = make_local(site, "local", "local@x");
        apply_all(store, {asking("user_aaaaaa", 1, "local@x", "a", false), asking("user_bbbbbb", 1, "b@x", "local")});
        auto const own = site.value(of_user("id", "user_aaaaaa")).value();
        CHECK(values_of(site, "user_bbbbbb") == "b@x local-bbbbbb");
        if (hangs == content::relation)
            site.execute("insert into articles_author_lnk (article_id, user_id) values (1, " + own + ")");
        if (hangs == content::column) site.execute("update up_users set bio = 'mine' where id = " + own);
        auto const decided = apply_all(store, {asking("user_aaaaaa", 2, "local@x", "a")});
        if (hangs != content::none) {
            CHECK(decided == "email not_linked");
            CHECK(apply_all(store, {asking("user_aaaaaa", 3, "local@x", "a")}).empty()); // counted once
            CHECK(site.value(of_user("id || ' ' || email", "user_aaaaaa")) == own + " user_aaaaaa@clerk.user");
            CHECK(site.value("select provider from up_users where id = " + local) == "local");
            CHECK(site.count("select count(*) from clerk_sync.user_state where waits_for = '{local@x}'") == 1);
            continue;
        }
        CHECK(decided == "email linked, username healed"); // the local row's username is released (quoted)
        CHECK(values_of(site, "user_bbbbbb") == "b@x local");
        CHECK(site.value(of_user("id || ' ' || email || ' ' || provider", "user_aaaaaa")) == local + " local@x clerk");
        CHECK(site.count("select count(*) from up_users") == 2);
        check_one_of_each(site); // the worker's profiles moved to the local row
        CHECK(site.value("select p.document_id from user_profiles p join user_profiles_user_lnk l on "
                         "l.user_profile_id = p.id where l.user_id = "
                  + local)
            == profile_document_id("user_aaaaaa", "api::user-profile.user-profile"));
    }
}

TEST_CASE("link: a row that lost its Clerk id is never linked [E7]")
{
    if (!have_postgres("a lost row")) return;
    site_database site;
    auto store = site.store(site_database::settings());
    apply_all(store, {asking("user_aaaaaa", 1, "a@x", "a")});
    auto const id = site.value(of_user("id", "user_aaaaaa"));
    site.execute("update up_users set clerk_id = null");
    apply_all(store, {asking("user_bbbbbb", 2, "a@x", "b")});
    CHECK(values_of(site, "user_bbbbbb") == "a@x b"); // the better candidate
    CHECK(site.value(of_user("id || email", "user_aaaaaa"))
        == id.value() + "user_aaaaaa@clerk.user"); // and the row is restored
}
