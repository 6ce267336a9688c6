// strapi_store on a real PostgreSQL: the truth table again, all orders, and the content of the rows.

#include "tests/support/merge_table.hpp"
#include "tests/support/site_database.hpp"
#include "tests/support/strapi_checks.hpp"
#include "worker/decide/document_id.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <thread>

using namespace clerk_strapi;
using namespace clerk_strapi::worker;
using namespace clerk_strapi::tests;

TEST_CASE("store: the merge rule, row by row, through PostgreSQL [I2 I3]")
{
    if (!have_postgres("the rule through PostgreSQL")) return;
    site_database site;
    auto store = site.store(site_database::settings());
    auto n = 0;
    for (auto const& row : merge_table()) {
        CAPTURE(row.name);
        auto const id = "user_row" + std::to_string(++n);
        if (row.before == user_state::presence::present) apply_one(store, updated(id, row.version_before));
        if (row.before == user_state::presence::tombstone) apply_one(store, deleted(id, 1));
        if (row.before == user_state::presence::absent && row.strapi_row) make_seed_row(site, id);
        if (row.before == user_state::presence::present && !row.strapi_row)
            site.execute("delete from up_users where clerk_id = '" + id + "'");
        if (row.mapping_changed)
            site.execute("update clerk_sync.user_state set mapping_hash = 'older' where clerk_id = '" + id + "'");
        auto outcome = apply_one(store, event_of(row, id));
        // Only the store can detect that writing the rows again under a changed mapping changed no column.
        if (row.mapping_changed && outcome == event_outcome::unchanged) outcome = event_outcome::updated;
        CHECK(to_string(outcome) == to_string(row.outcome));
        auto const present = row.after == user_state::presence::present;
        CHECK(site.count("select count(*) from up_users where clerk_id = '" + id + "'") == (present ? 1 : 0));
        CHECK(site.count("select count(*) from clerk_sync.user_state where clerk_id = '" + id
                  + "' and tombstone = " + (present ? "false" : "true"))
            == 1);
        if (present)
            CHECK(site.count("select updated_at_ms from clerk_sync.user_state where clerk_id = '" + id + "'")
                == version_after(row, id).updated_at_ms);
    }
}

TEST_CASE("store: all orders of six events, with copies, end in the same rows [I2 I3 I4]")
{
    if (!have_postgres("all orders through PostgreSQL")) return;
    struct
    {
        char const* name;
        std::vector<user_event> (*events)(std::string const&);
        bool seed_row;
        int removed_by_hand_after; // steps; -1: never
        bool survives;
    } const sets[] = {
        {"updates",
            [](std::string const& id) {
                return std::vector{
                    created(id, 1), updated(id, 2), updated(id, 3), updated(id, 3), updated(id, 4), seen(id)};
            },
            false, -1, true},
        {"updates over the legacy row",
            [](std::string const& id) {
                return std::vector{
                    created(id, 1), updated(id, 2), updated(id, 3), updated(id, 3), updated(id, 4), seen(id)};
            },
            true, -1, true},
        {"updates, row removed by hand",
            [](std::string const& id) {
                return std::vector{
                    created(id, 1), updated(id, 2), updated(id, 3), updated(id, 3), updated(id, 4), seen(id)};
            },
            false, 3, true},
        {"with a deletion",
            [](std::string const& id) {
                return std::vector{
                    created(id, 1), updated(id, 2), deleted(id, 3), updated(id, 4), seen(id), created(id, 1)};
            },
            false, -1, false},
        {"with a deletion, over the legacy row, removed by hand",
            [](std::string const& id) {
                return std::vector{
                    created(id, 1), updated(id, 2), deleted(id, 3), updated(id, 4), seen(id), created(id, 1)};
            },
            true, 2, false},
    };
    for (auto const& set : sets) {
        CAPTURE(set.name);
        site_database site;
        auto store = site.store(site_database::settings());
        std::vector<std::vector<user_event>> orders;
        std::vector<std::size_t> order{0, 1, 2, 3, 4, 5};
        do {
            auto const id = "user_p" + std::to_string(orders.size());
            auto const events = set.events(id);
            std::vector<user_event> shuffled;
            for (auto const i : order)
                shuffled.push_back(events[i]);
            orders.push_back(std::move(shuffled));
            if (set.seed_row) make_seed_row(site, id);
        } while (std::next_permutation(order.begin(), order.end()));
        // One event of each user per batch: every user has its own order, in separate transactions.
        for (std::size_t step = 0; step < order.size(); ++step) {
            std::vector<user_event> batch;
            for (auto const& one : orders)
                batch.push_back(one[step]);
            auto const result = store.apply(batch, {});
            CAPTURE(result.detail);
            REQUIRE(result.status == apply_status::applied);
            // Strapi's admin panel deletes a user like this: the profiles stay, without links.
            if (set.removed_by_hand_after == static_cast<int>(step))
                site.execute("delete from up_users where clerk_id is not null");
        }
        if (!set.survives) {
            CHECK(site.count("select count(*) from up_users where clerk_id is not null") == 0);
            CHECK(site.count("select count(*) from clerk_sync.user_state where tombstone") == 720);
            continue;
        }
        CHECK(site.count("select count(*) from up_users where clerk_id is not null") == 720);
        CHECK(site.count("select count(*) from up_users where email = clerk_id || '.4@example.com' and username = "
                         "clerk_id || '_4' "
                         "and full_name = 'Name 4' and not blocked")
            == 720);
        CHECK(site.count("select count(*) from user_profiles where name = 'Name 4'") == 720);
        check_one_of_each(site);
    }
}

TEST_CASE("store: folds many events of many users in batches of any size [I2 I4]")
{
    if (!have_postgres("folding")) return;
    site_database site;
    auto store = site.store(site_database::settings());
    std::vector<user_event> batch;
    for (auto version = 1; version <= 5; ++version) {
        for (auto user = 0; user < 100; ++user)
            batch.push_back(updated("user_f" + std::to_string(user), version));
    }
    batch.push_back(deleted("user_f7", 9));
    batch.push_back(updated("user_f7", 10));
    auto const result = store.apply(batch, {});
    REQUIRE(result.status == apply_status::applied);
    CHECK(to_string(result.outcomes.front()) == "created");
    CHECK(to_string(result.outcomes[batch.size() - 2]) == "deleted");
    CHECK(to_string(result.outcomes.back()) == "stale");
    CHECK(site.count("select count(*) from up_users where full_name = 'Name 5'") == 99);
    check_one_of_each(site);
}

TEST_CASE("store: writes the rows that Strapi would have written [I10]")
{
    if (!have_postgres("row values")) return;
    site_database site;
    auto settings = site_database::settings();
    settings.sql.time_zone = "America/New_York";
    auto store = site.store(settings);
    auto event = created("user_v", 1);
    event.desired.created_at_ms = 1'716'883'200'123; // 2024-05-28 08:00:00.123 UTC
    apply_one(store, event);
    CHECK(site.value(of_user("created_at", "user_v")) == "2024-05-28 04:00:00.123");
    CHECK(site.value(
              of_user("updated_at = published_at and date_trunc('milliseconds', updated_at) = updated_at", "user_v"))
        == "t");
    CHECK(site.value(
              of_user("abs(extract(epoch from updated_at - (now() at time zone 'America/New_York'))) < 60", "user_v"))
        == "t");
    CHECK(site.value(of_user("document_id", "user_v")) == user_document_id("user_v"));
    CHECK(site.value(of_user("provider || confirmed || blocked || coalesce(password, locale, '-')", "user_v"))
        == "clerktruefalse-");
    CHECK(site.value("select r.type from up_roles r join up_users_role_lnk l on l.role_id = r.id") == "authenticated");
    CHECK(site.value("select published_at is not null and locale is null from user_profiles") == "t");
    CHECK(site.value("select published_at is null from member_profiles") == "t");
    CHECK(site.count("select last_value from up_users_id_seq") == 1);
    apply_one(store, updated("user_v", 2));
    apply_one(store, updated("user_v", 2));
    CHECK(site.count("select last_value from up_users_id_seq") == 1); // an update takes no id
}

TEST_CASE("store: PROFILE_STATUS=published writes draft and published with one document id")
{
    if (!have_postgres("published profiles")) return;
    site_database site;
    auto settings = site_database::settings();
    settings.sql.profiles = profile_status::published;
    auto store = site.store(settings);
    apply_one(store, created("user_d", 1));
    CHECK(site.count("select count(*) from member_profiles") == 2);
    CHECK(site.count("select count(distinct document_id) from member_profiles") == 1);
    CHECK(site.count("select count(*) from member_profiles where published_at is null") == 1);
    CHECK(site.count("select count(*) from member_profiles_user_lnk") == 2);
    apply_one(store, updated("user_d", 2));
    CHECK(site.count("select count(*) from member_profiles where name = 'Name 2'") == 2);
    apply_one(store, deleted("user_d", 3));
    CHECK(site.count("select count(*) from member_profiles") == 0);
}

TEST_CASE("store: a profile's name follows the full name until the user edits it [I10]")
{
    if (!have_postgres("profile names")) return;
    site_database site;
    auto store = site.store(site_database::settings());
    apply_one(store, created("user_n", 1));
    apply_one(store, updated("user_n", 2));
    CHECK(site.value("select name from user_profiles") == "Name 2");
    site.execute("update user_profiles set name = 'My own'");
    apply_one(store, updated("user_n", 3));
    CHECK(site.value("select name from user_profiles") == "My own");
    CHECK(site.value("select name from member_profiles") == "Name 3");
    auto nameless = updated("user_n", 4);
    nameless.desired.full_name.reset();
    apply_one(store, nameless);
    CHECK(site.value(of_user("full_name", "user_n")) == std::nullopt);
    CHECK(site.value("select name ~ '^[A-Z][a-z]+[A-Z][a-z]+[0-9]{4}$' from member_profiles") == "t");
}

TEST_CASE("store: replaces taken values by fallbacks, without endless retries [E5 E7]")
{
    if (!have_postgres("conflicts")) return;
    site_database site;
    auto store = site.store(site_database::settings());
    site.execute("insert into up_users (document_id, username, email, provider) values ('local', 'Local', "
                 "'local@example.com', 'local')");
    auto event = created("user_abcdefgh", 1);
    event.desired.email = "local@example.com";
    event.desired.email_verified = false;
    event.desired.username = "Local";
    auto const result = store.apply({event}, {});
    REQUIRE(result.status == apply_status::applied);
    CHECK(decisions_of(result) == "email placeholder, username placeholder");
    CHECK(site.value(of_user("email", "user_abcdefgh")) == "user_abcdefgh@clerk.user");
    CHECK(site.value(of_user("username", "user_abcdefgh")) == "Local-cdefgh");
    CHECK(
        site.value("select email || provider from up_users where clerk_id is null") == "local@example.comlocal"); // P10
}

TEST_CASE("store: a deletion releases the address, also in the same batch [E5]")
{
    if (!have_postgres("freed addresses")) return;
    site_database site;
    auto store = site.store(site_database::settings());
    auto first = created("user_old", 1);
    first.desired.email = "same@example.com";
    apply_one(store, first);
    auto again = created("user_new", 2);
    again.desired.email = "same@example.com";
    REQUIRE(store.apply({again, deleted("user_old", 3)}, {}).status == apply_status::applied);
    CHECK(site.value(of_user("email", "user_new")) == "same@example.com");
}

TEST_CASE("store: refuses values that the database cannot store, and writes nothing [E1 E3 E11]")
{
    if (!have_postgres("refused values")) return;
    site_database site;
    auto store = site.store(site_database::settings());
    auto event = created("user_sql", 1);
    event.desired.full_name = R"('; DROP TABLE up_users; -- $1 %s \copy {"a",\"} <script>)";
    apply_one(store, event);
    CHECK(site.value(of_user("full_name", "user_sql")) == *event.desired.full_name);
    site.execute("alter table up_users add constraint no_evil check (full_name <> 'evil')");
    auto evil = created("user_evil", 1);
    evil.desired.full_name = "evil";
    CHECK(store.apply({created("user_fine", 1), evil}, {}).status == apply_status::refused);
    CHECK(site.count("select count(*) from up_users where clerk_id = 'user_fine'") == 0);
    CHECK(store.apply({created("user_fine", 1)}, {}).status == apply_status::applied);
}

TEST_CASE("store: reports U+FFFD for U+0000 when the value is written, and only then [E1]")
{
    if (!have_postgres("replaced characters")) return;
    site_database site;
    auto store = site.store(site_database::settings());
    using fields = std::vector<std::string_view>;
    auto const replaced_by = [&](std::vector<user_event> const& events) {
        auto const result = store.apply(events, {});
        REQUIRE(result.status == apply_status::applied);
        return result.replaced;
    };
    auto first = created("user_nul", 2);
    first.desired.full_name = "a\xEF\xBF\xBD";
    first.replaced = {mapped_field::username, mapped_field::full_name};
    CHECK(replaced_by({created("user_fine", 1), first}) == fields{"username", "full_name"});
    CHECK(site.value(of_user("full_name", "user_nul")) == *first.desired.full_name);
    CHECK(replaced_by({first}) == fields{}); // a copy writes nothing
    auto older = updated("user_nul", 1);
    older.replaced = {mapped_field::email};
    CHECK(replaced_by({older}) == fields{});
    site.execute("delete from up_users where clerk_id = 'user_nul'");
    CHECK(replaced_by({older}) == fields{}); // the newer one's values are written again
    auto next = updated("user_nul", 3);
    next.replaced = {mapped_field::email};
    CHECK(replaced_by({first, next, updated("user_nul", 4)}) == fields{}); // the last of three is written
    CHECK(replaced_by({deleted("user_nul", 5)}) == fields{});
}

TEST_CASE("store: commits positions in the transaction of their rows [I7]")
{
    if (!have_postgres("positions")) return;
    site_database site;
    auto store = site.store(site_database::settings());
    std::vector<partition_position> const positions{{"cluster", "events", 0, 5}, {"cluster", "events", 1, 7}};
    REQUIRE(store.apply({created("user_a", 1)}, positions).status == apply_status::applied);
    site.execute("alter table up_users add constraint nobody check (false) not valid");
    CHECK(store.apply({created("user_b", 1)}, {{"cluster", "events", 0, 6}}).status == apply_status::refused);
    auto found = store.positions("cluster");
    REQUIRE(found.has_value());
    std::sort(found->begin(), found->end(), [](auto const& a, auto const& b) { return a.partition < b.partition; });
    CHECK(*found == positions);
    CHECK(store.positions("another").value().empty());
}

TEST_CASE("store: two workers at once write one row per user, the newest state [I2 I4]")
{
    if (!have_postgres("two workers")) return;
    site_database site;
    auto const work = [&](int offset) {
        auto store = site.store(site_database::settings());
        for (auto round = 0; round < 10; ++round) {
            std::vector<user_event> batch;
            for (auto user = 0; user < 40; ++user)
                batch.push_back(updated("user_t" + std::to_string((user * 7 + offset) % 40), 2 * round + offset));
            while (store.apply(batch, {}).status != apply_status::applied) {}
        }
    };
    std::thread other{[&] { work(1); }};
    work(0);
    other.join();
    CHECK(site.count("select count(*) from up_users where full_name = 'Name 19'") == 40);
    check_one_of_each(site);
}

TEST_CASE("store: DELETE_POLICY=block clears and blocks the row, and the tombstone stays [I3]")
{
    if (!have_postgres("block policy")) return;
    site_database site;
    auto settings = site_database::settings();
    settings.on_delete = delete_policy::block;
    auto store = site.store(settings);
    apply_one(store, created("user_b", 1));
    apply_one(store, deleted("user_b", 2));
    CHECK(site.value(of_user(
              "email || ' ' || username || ' ' || provider || ' ' || blocked || coalesce(full_name, '')", "user_b"))
        == "user_b@clerk.user user_b clerk-deleted true");
    CHECK(site.value("select name from user_profiles") == std::nullopt);
    site.execute("delete from clerk_sync.user_state");
    CHECK(to_string(apply_one(store, updated("user_b", 3))) == "stale");
    CHECK(site.value(of_user("blocked", "user_b")) == "t");
}
