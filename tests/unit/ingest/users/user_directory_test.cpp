// The user directory on a real PostgreSQL: which rows it returns, how old they may be, and how few queries it needs.

#include "tests/support/ingest/directory_fixture.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <sstream>

#include <unistd.h>

namespace clerk_strapi::tests
{
namespace
{

using namespace std::chrono_literals;
using ingest::user_answer;
using ingest::user_outcome;
using clock = std::chrono::steady_clock;

constexpr auto skipped = "verify: Strapi's users";

std::string file_text(char const* path)
{
    std::ifstream file{path};
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

std::string replaced(std::string text, std::string const& from, std::string const& to)
{
    for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
        text.replace(at, from.size(), to);
    return text;
}

}

TEST_CASE("user directory: returns a user with its role, without a role, and absent")
{
    if (!have_postgres(skipped)) return;
    directory_fixture it;
    it.add_user(101, "user_a");
    it.add_user(102, "user_b", 0);
    it.add_user(103, "user_c");
    it.site.execute("insert into up_users_role_lnk (user_id, role_id) values (103, 2)"); // the older link counts
    auto const known = it.find("user_a");
    REQUIRE(known.outcome == user_outcome::found);
    CHECK(known.user->id == 101);
    CHECK(known.user->document_id == "doc101");
    CHECK(known.user->username == "name101");
    CHECK(known.user->email == "u101@example.com");
    CHECK(known.user->confirmed);
    CHECK_FALSE(known.user->blocked);
    REQUIRE(known.user->role);
    CHECK(known.user->role->id == 1);
    CHECK(known.user->role->type == "authenticated");
    CHECK(known.user->role->name == "Authenticated");
    CHECK_FALSE(it.find("user_b").user->role);
    CHECK(it.find("user_c").user->role->id == 1);
    CHECK(it.find("user_nobody").outcome == user_outcome::absent);
    CHECK(it.up());
}

TEST_CASE("user directory: distinguishes a deleted user from an absent one [I3]")
{
    if (!have_postgres(skipped)) return;
    directory_fixture it;
    it.add_tombstone("user_gone");
    it.add_user(101, "user_blocked"); // DELETE_POLICY=block keeps the row
    it.add_tombstone("user_blocked");
    CHECK(it.find("user_gone").outcome == user_outcome::deleted);
    CHECK(it.find("user_blocked").outcome == user_outcome::deleted);
    CHECK(it.wait_for("user_gone", 10s).get().outcome == user_outcome::deleted);
}

TEST_CASE("user directory: the first row counts if the legacy plugin wrote a user twice (E4)")
{
    if (!have_postgres(skipped)) return;
    directory_fixture it;
    it.site.execute("drop index clerk_sync_up_users_clerk_id");
    it.add_user(102, "user_a");
    it.add_user(101, "user_a");
    CHECK(it.find("user_a").user->id == 101);
}

TEST_CASE("user directory: an invalid id reaches no query (B4)")
{
    if (!have_postgres(skipped)) return;
    directory_fixture it;
    for (auto const& id : {std::string{}, std::string{"user_a' or '1'='1"}, std::string{"user_\0a", 7},
             std::string{"user_\xff"}, std::string(1'000'000, 'a')})
        CHECK(it.find(id).outcome == user_outcome::absent);
    CHECK(it.queries() == 0);
}

TEST_CASE("user directory: simultaneous cache misses share a few queries")
{
    if (!have_postgres(skipped)) return;
    directory_fixture it;
    for (int i = 0; i < 200; ++i)
        it.add_user(1000 + i, "user_" + std::to_string(i));
    std::vector<std::future<user_answer>> answers;
    it.io.on_thread([&] { // all before the first result can arrive
        for (int i = 0; i < 1'000; ++i)
            answers.push_back(it.start_find("user_" + std::to_string(i % 200)));
    });
    for (int i = 0; i < 1'000; ++i) {
        auto const answer = answers[static_cast<std::size_t>(i)].get();
        REQUIRE(answer.outcome == user_outcome::found);
        CHECK(answer.user->id == 1000 + i % 200);
    }
    CHECK(it.queries() <= 3);
    auto const before = it.queries();
    CHECK(it.find("user_7").outcome == user_outcome::found);
    CHECK(it.queries() == before); // cached
}

TEST_CASE("user query: reads the index, not the table")
{
    if (!have_postgres(skipped)) return;
    directory_fixture it;
    it.site.execute("insert into up_users (document_id, username, clerk_id) select 'd' || n, 'n' || n, 'user_' || n "
                    "from generate_series(1, 3000) n");
    it.site.execute("analyze up_users");
    for (int i = 1; i < 20; ++i) // until PostgreSQL has chosen a generic plan for the prepared statement
        CHECK(it.find("user_" + std::to_string(i)).outcome == user_outcome::found);
    it.break_connections(); // so that PostgreSQL reports the connection's statistics
    CHECK(eventually(5s, [&] {
        return it.site.count("select idx_scan from pg_stat_user_indexes where indexrelname = "
                             "'clerk_sync_up_users_clerk_id'")
            >= 19;
    }));
    CHECK(it.site.count("select seq_tup_read from pg_stat_user_tables where relname = 'up_users'") < 3000 * 10);
}

TEST_CASE("user directory: a block, a new role and a deletion take effect within the cache time [I5]")
{
    if (!have_postgres(skipped)) return;
    auto times = long_times();
    times.cache = 50ms;
    directory_fixture it{times};
    it.add_user(101, "user_a");
    REQUIRE(it.find("user_a").outcome == user_outcome::found);
    it.site.execute("update up_users set blocked = true where id = 101");
    auto const committed = clock::now();
    CHECK(eventually(5s, [&] { return it.find("user_a").user->blocked; }));
    CHECK(clock::now() - committed < 2s);
    it.site.execute("update up_users_role_lnk set role_id = 2 where user_id = 101");
    CHECK(eventually(5s, [&] { return it.find("user_a").user->role->type == "public"; }));
    it.site.execute("delete from up_users where id = 101");
    CHECK(eventually(5s, [&] { return it.find("user_a").outcome == user_outcome::absent; }));
}

TEST_CASE("user directory: finds a new row at once, and reports a tombstone at once [I3]")
{
    if (!have_postgres(skipped)) return;
    directory_fixture it; // its cache time is a minute
    CHECK(it.find("user_a").outcome == user_outcome::absent);
    it.add_user(101, "user_a");
    CHECK(it.find("user_a").outcome == user_outcome::found);
    CHECK(it.find("user_b").outcome == user_outcome::absent);
    it.add_tombstone("user_b");
    CHECK(it.find("user_b").outcome == user_outcome::deleted);
}

TEST_CASE("user directory: sends no query within the cache time")
{
    if (!have_postgres(skipped)) return;
    directory_fixture it;
    it.add_user(101, "user_a");
    REQUIRE(it.find("user_a").outcome == user_outcome::found);
    it.site.execute("update up_users set blocked = true where id = 101");
    CHECK_FALSE(it.find("user_a").user->blocked);
    CHECK(it.queries() == 1);
}

TEST_CASE("user directory: hundreds of waits for rows share one query at a time and end soon after")
{
    if (!have_postgres(skipped)) return;
    directory_fixture it;
    std::vector<std::future<user_answer>> waiting;
    auto const started = clock::now();
    for (int i = 0; i < 300; ++i)
        waiting.push_back(it.wait_for("user_" + std::to_string(i), 30s));
    auto const absent = it.wait_for("user_nobody", 200ms).get();
    CHECK(absent.outcome == user_outcome::absent);
    CHECK(clock::now() - started >= 200ms);
    for (int i = 0; i < 300; ++i)
        it.add_user(1000 + i, "user_" + std::to_string(i));
    for (auto& each : waiting)
        CHECK(each.get().outcome == user_outcome::found);
    // At most one query per 5 ms for all waits; separate queries would have been hundreds.
    auto const most = (clock::now() - started) / 5ms + 10;
    CHECK(static_cast<long>(it.queries()) <= most);
}

TEST_CASE("user directory: waits above the bound are rejected, and the others are answered [I6]")
{
    if (!have_postgres(skipped)) return;
    directory_fixture it{long_times(), 5};
    std::vector<std::future<user_answer>> within;
    for (int i = 0; i < 5; ++i)
        within.push_back(it.wait_for("user_a", 30s));
    CHECK(eventually(5s, [&] { return it.io.on_thread([&] { return it.directory.waiting() == 5; }); }));
    CHECK(it.wait_for("user_b", 30s).get().outcome == user_outcome::unavailable);
    CHECK(it.find("user_b").outcome == user_outcome::unavailable);
    it.add_user(101, "user_a");
    for (auto& each : within)
        CHECK(each.get().outcome == user_outcome::found);
}

TEST_CASE("user query: ingest's database role can read the rows and write nothing")
{
    if (!have_postgres(skipped)) return;
    directory_fixture it;
    auto const role = "verify_" + std::to_string(::getpid());
    it.site.execute("create role " + role + "; create role " + role + "w");
    auto const grants = replaced(file_text(TEST_GRANTS), "clerk_worker", role + "w");
    it.site.execute(replaced(grants, "clerk_ingest", role));
    it.connect_to(it.site.conninfo() + " options='-c role=" + role + "'");
    it.add_user(101, "user_a");
    it.add_tombstone("user_gone");
    auto const answer = it.find("user_a");
    CHECK(answer.outcome == user_outcome::found);
    CHECK(it.find("user_gone").outcome == user_outcome::deleted);
    it.site.execute("drop owned by " + role + ", " + role + "w; drop role " + role + ", " + role + "w");
}

}
