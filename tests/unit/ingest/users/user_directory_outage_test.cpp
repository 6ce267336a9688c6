// The user directory while Strapi's database is unreachable, hangs, or lacks a table; on a real PostgreSQL.

#include "tests/support/ingest/directory_fixture.hpp"

#include <doctest/doctest.h>

namespace clerk_strapi::tests
{
namespace
{

using namespace std::chrono_literals;
using ingest::user_answer;
using ingest::user_outcome;
using clock = std::chrono::steady_clock;

constexpr auto skipped = "verify: Strapi's users";

}

TEST_CASE("user directory: reconnects unnoticed, with a replaced password (F11, F30)")
{
    if (!have_postgres(skipped)) return;
    auto times = long_times();
    times.cache = 0ms;
    directory_fixture it{times};
    it.add_user(101, "user_a");
    REQUIRE(it.find("user_a").outcome == user_outcome::found);
    it.connect_to(it.site.conninfo() + " application_name='rotated'");
    it.break_connections();
    CHECK(it.find("user_b").outcome == user_outcome::absent);
    CHECK(it.site.count("select count(*) from pg_stat_activity where application_name = 'rotated'") == 1);
}

TEST_CASE("user directory: serves stale rows in an outage, then unavailable; recovers (F11) [I5, I9]")
{
    if (!have_postgres(skipped)) return;
    auto times = long_times();
    times.cache = 1ms;
    times.stale = 400ms;
    directory_fixture it{times};
    it.add_user(101, "user_a");
    it.add_tombstone("user_gone");
    REQUIRE(it.find("user_gone").outcome == user_outcome::deleted);
    auto const read = clock::now();
    REQUIRE(it.find("user_a").outcome == user_outcome::found);
    it.disconnect();
    auto const during = it.find("user_a");
    if (clock::now() - read < 400ms) CHECK(during.outcome == user_outcome::found);
    CHECK(it.find("user_new").outcome == user_outcome::unavailable); // never "absent" during an outage
    CHECK(it.wait_for("user_new", 50ms).get().outcome == user_outcome::unavailable);
    CHECK(eventually(5s, [&] { return it.find("user_a").outcome == user_outcome::unavailable; }));
    CHECK(clock::now() - read >= 400ms);
    CHECK_FALSE(it.up());
    CHECK(it.health().starts_with("unreachable: "));

    auto waiting = it.wait_for("user_a", 30s);
    it.reconnect();
    CHECK(waiting.get().outcome == user_outcome::found);
    CHECK(it.find("user_a").outcome == user_outcome::found);
    CHECK(it.up());
}

TEST_CASE("user directory: a timer, not a request, tries an unreachable database (F11)")
{
    if (!have_postgres(skipped)) return;
    auto times = long_times();
    times.retry_first = times.retry_longest = 1h;
    directory_fixture it{times};
    it.disconnect();
    for (int i = 0; i < 1'000; ++i)
        CHECK(it.find("user_" + std::to_string(i)).outcome == user_outcome::unavailable);
    CHECK(it.queries() == 1);
}

TEST_CASE("user directory: notices an outage and its end without requests [I9]")
{
    if (!have_postgres(skipped)) return;
    auto times = long_times();
    times.probe = 20ms;
    directory_fixture it{times};
    it.io.on_thread([&] { it.directory.start(); });
    CHECK(eventually(5s, [&] { return it.up(); }));
    it.disconnect();
    CHECK(eventually(5s, [&] { return !it.up(); }));
    it.reconnect();
    CHECK(eventually(5s, [&] { return it.up(); }));
}

TEST_CASE("user directory: a hanging database delays no call beyond its deadline (F11) [I6]")
{
    if (!have_postgres(skipped)) return;
    auto times = long_times();
    times.cache = 1ms;
    times.find_max = 150ms;
    directory_fixture it{times};
    it.add_user(101, "user_a");
    REQUIRE(it.find("user_a").outcome == user_outcome::found);
    pqxx::connection other{it.site.conninfo()};
    {
        pqxx::work lock{other};
        lock.exec("lock table up_users in access exclusive mode");
        auto const started = clock::now();
        CHECK(it.find("user_b").outcome == user_outcome::unavailable);
        CHECK(it.find("user_a").outcome == user_outcome::found); // the cached row
        CHECK(clock::now() - started < 900ms); // the server itself would end the query after a second
    }
    CHECK(eventually(5s, [&] { return it.find("user_b").outcome == user_outcome::absent; }));
}

TEST_CASE("user directory: without table or column it is unavailable and names the fix; then works")
{
    if (!have_postgres(skipped)) return;
    directory_fixture it{long_times(), 100, site_database::setup::tables_only};
    it.add_user(101, "user_a");
    CHECK(it.find("user_a").outcome == user_outcome::unavailable);
    CHECK(it.health().find("clerk_sync.user_state") != std::string::npos);
    REQUIRE(it.site.migrate() == 0);
    CHECK(eventually(5s, [&] { return it.find("user_a").outcome == user_outcome::found; }));

    it.site.execute("alter table up_users rename column clerk_id to lost");
    CHECK(eventually(5s, [&] { return it.find("user_b").outcome == user_outcome::unavailable; }));
    CHECK(it.health().find("clerk_id") != std::string::npos);
    it.site.execute("alter table up_users rename column lost to clerk_id");
    CHECK(eventually(5s, [&] { return it.find("user_b").outcome == user_outcome::absent; }));
}

TEST_CASE("user directory: a stop ends every wait")
{
    if (!have_postgres(skipped)) return;
    directory_fixture it;
    auto waiting = it.wait_for("user_a", 60s);
    CHECK(eventually(5s, [&] { return it.queries() >= 2; })); // so the first of them was answered
    it.io.on_thread([&] { it.directory.cut_deadlines(clock::now() + 20ms); });
    CHECK(waiting.get().outcome == user_outcome::absent);
    CHECK(it.wait_for("user_a", 60s).wait_for(5s) == std::future_status::ready);
}

TEST_CASE("user directory: without a database every answer is unavailable")
{
    running_io io;
    ingest::strapi_user_directory directory{io.context, {}};
    stop_first const stop{io};
    CHECK(io.spawn(directory.find("user_a")).get().outcome == user_outcome::unavailable);
    CHECK(io.spawn(directory.wait_for("user_a", clock::now() + 1s)).get().outcome == user_outcome::unavailable);
    CHECK_FALSE(directory.up());
}

}
