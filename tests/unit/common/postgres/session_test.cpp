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

std::function<void(pqxx::work&)> running(std::string statement, int times = 1)
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
    auto const silent = session.run(running("select pg_sleep(600)"));
    CHECK(silent.outcome == work_outcome::unavailable);
    CHECK(silent.detail == "the server sent nothing for 300 ms");
    CHECK(session.run(running("select 1")).outcome == work_outcome::done);
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
    CHECK(session.run(running("select 1")).detail == "the server sent nothing for 300 ms");
    more = " port='1'";
    auto const outage = session.run(running("select 1"));
    CHECK(outage.outcome == work_outcome::unavailable);
    CHECK(outage.detail.find("sent nothing") == std::string::npos);
    more.clear();
    sleepy = false;
    CHECK(session.run(running("select 1")).outcome == work_outcome::done);
}

TEST_CASE("session: work may take longer while the server sends data (F16)")
{
    if (!have_postgres(skipped)) return;
    site_database site{site_database::setup::tables_only};
    postgres::session session{[&] { return site.conninfo(); }, {}, 2s};
    CHECK(session.run(running("select pg_sleep(0.25)", 10)).outcome == work_outcome::done);
}
