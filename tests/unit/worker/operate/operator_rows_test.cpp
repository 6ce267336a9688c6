// Lifting a tombstone, on a real PostgreSQL.

#include "tests/support/events.hpp"
#include "tests/support/site_database.hpp"
#include "tests/support/strapi_checks.hpp"
#include "worker/operate/operator_rows.hpp"

#include <doctest/doctest.h>

using namespace clerk_strapi;
using namespace clerk_strapi::worker;
using namespace clerk_strapi::tests;

namespace
{

void revive(site_database& site, strapi_store& store, std::string const& id, int version)
{
    operator_rows rows{[&] { return site.conninfo(); }, "public"};
    REQUIRE(store.check().status == apply_status::applied);
    REQUIRE(rows.revive(id, test_time_ms + version, *store.schema()).has_value());
}

}

TEST_CASE("lifted tombstone: earlier deletions are stale, later ones are applied [I3]")
{
    if (!have_postgres("a lifted tombstone")) return;
    site_database site;
    auto store = site.store(site_database::settings());
    apply_one(store, created("user_back", 1));
    apply_one(store, deleted("user_back", 2));
    revive(site, store, "user_back", 10);
    CHECK(site.count("select revived_at_ms from clerk_sync.user_state") == test_time_ms + 10);
    CHECK(to_string(apply_one(store, deleted("user_back", 9))) == "stale");
    CHECK(to_string(apply_one(store, make_event(event_kind::snapshot, "user_back", 11))) == "created");
    CHECK(to_string(apply_one(store, deleted("user_back", 9))) == "stale");
    CHECK(to_string(apply_one(store, updated("user_back", 12))) == "updated");
    CHECK(site.count("select revived_at_ms from clerk_sync.user_state") == test_time_ms + 10);
    CHECK(site.value(of_user("full_name", "user_back")) == "Name 12");
    CHECK(to_string(apply_one(store, deleted("user_back", 13))) == "deleted");
    CHECK(to_string(apply_one(store, updated("user_back", 14))) == "stale");
    CHECK(site.value(of_user("full_name", "user_back")) == std::nullopt);
}

TEST_CASE("lifted tombstone: the row that DELETE_POLICY=block kept is unblocked, with its id [I3 I4]")
{
    if (!have_postgres("a lifted tombstone of a blocked row")) return;
    site_database site;
    auto settings = site_database::settings();
    settings.on_delete = delete_policy::block;
    auto store = site.store(settings);
    apply_one(store, created("user_back", 1));
    auto const id = site.value(of_user("id || ' ' || document_id", "user_back"));
    apply_one(store, deleted("user_back", 2));
    revive(site, store, "user_back", 10);
    CHECK(to_string(apply_one(store, deleted("user_back", 3))) == "stale");
    apply_one(store, make_event(event_kind::snapshot, "user_back", 11));
    CHECK(site.value(
              of_user("email || ' ' || username || ' ' || full_name || ' ' || provider || ' ' || blocked", "user_back"))
        == "user_back.11@example.com user_back_11 Name 11 clerk false");
    CHECK(site.value(of_user("id || ' ' || document_id", "user_back")) == id);
    check_one_of_each(site);
}

TEST_CASE("lifting a tombstone: changes no user without one, and creates no user")
{
    if (!have_postgres("no tombstone to lift")) return;
    site_database site;
    auto store = site.store(site_database::settings());
    apply_one(store, created("user_here", 5));
    revive(site, store, "user_here", 10);
    revive(site, store, "user_unknown", 10);
    CHECK(site.count("select count(*) from clerk_sync.user_state where revived_at_ms is not null") == 0);
    CHECK(site.count("select updated_at_ms from clerk_sync.user_state") == test_time_ms + 5);
}
