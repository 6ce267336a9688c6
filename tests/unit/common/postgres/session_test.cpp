// A session with a real PostgreSQL that sends nothing: the server sleeps during a statement.

#include "common/postgres/session.hpp"
#include "tests/support/site_database.hpp"

#include <doctest/doctest.h>

using namespace clerk_strapi;
using namespace clerk_strapi::tests;
using namespace std::chrono_literals;
using postgres::work_outcome;

namespace
{

constexpr auto skipped = "a silent server";

std::function<void(pqxx::work&)> asking(std::string statement, int times = 1)
{
    return [statement = std::move(statement), times](pqxx::work& work) {
        for (auto i = 0; i < times; ++i)
            work.exec(statement);
    };
}

}

TEST_CASE("session: closes a silent connection; the next work connects again (F16) [I9]")
{
    if (!have_postgres(skipped)) return;
    site_database site{site_database::setup::tables_only};
    postgres::session session{[&] { return site.conninfo(); }, {}, 300ms};
    auto const given_up = session.run(asking("select pg_sleep(600)"));
    CHECK(given_up.outcome == work_outcome::unavailable);
    CHECK(given_up.detail == "the server sent nothing for 300 ms");
    CHECK(session.run(asking("select 1")).outcome == work_outcome::done);
}

TEST_CASE("session: also limits silence during set-up; an outage is reported as one (F16) [I9]")
{
    if (!have_postgres(skipped)) return;
    site_database site{site_database::setup::tables_only};
    std::string more;
    auto sleepy = true;
    auto const set_up = [&](postgres::any_connection& connection) {
        if (sleepy) pqxx::nontransaction{connection}.exec("select pg_sleep(600)");
    };
    postgres::session session{[&] { return site.conninfo() + more; }, set_up, 300ms};
    CHECK(session.run(asking("select 1")).detail == "the server sent nothing for 300 ms");
    more = " port='1'";
    auto const away = session.run(asking("select 1"));
    CHECK(away.outcome == work_outcome::unavailable);
    CHECK(away.detail.find("said nothing") == std::string::npos);
    more.clear();
    sleepy = false;
    CHECK(session.run(asking("select 1")).outcome == work_outcome::done);
}

TEST_CASE("session: work may take longer while the server sends data (F16)")
{
    if (!have_postgres(skipped)) return;
    site_database site{site_database::setup::tables_only};
    postgres::session session{[&] { return site.conninfo(); }, {}, 2s};
    CHECK(session.run(asking("select pg_sleep(0.25)", 10)).outcome == work_outcome::done);
}
