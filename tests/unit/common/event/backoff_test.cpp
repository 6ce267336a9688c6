// Backoff, array literals, connection strings and outcomes of SQLSTATEs.

#include "common/event/backoff.hpp"
#include "common/postgres/conninfo.hpp"
#include "common/postgres/session.hpp"
#include "common/postgres/sql_array.hpp"

#include <doctest/doctest.h>

using namespace clerk_strapi;
using namespace std::chrono_literals;

TEST_CASE("backoff: doubles up to its bound, with jitter, and restarts after a reset")
{
    backoff wait{100ms, 500ms};
    CHECK(wait.next(0) == 50ms);
    CHECK(wait.next(0) == 100ms);
    CHECK(wait.next(0.5) == 300ms);
    CHECK(wait.next(0) == 250ms);
    CHECK(wait.next(0) == 250ms);
    wait.reset();
    CHECK(wait.next(0) == 50ms);
}

TEST_CASE("sql array: quotes any text")
{
    postgres::sql_array texts;
    texts.add("a\"b\\c,{}");
    texts.add(std::optional<std::string>{});
    texts.add("");
    texts.add(true);
    texts.add(std::int64_t{-5});
    CHECK(texts.str() == R"({"a\"b\\c,{}",NULL,"",t,-5})");
    CHECK(postgres::sql_array{}.str() == "{}");
}

TEST_CASE("conninfo: gets default time limits and is never quoted in an error")
{
    auto const settings = postgres::parse_conninfo("postgres://u:it's@h:5433/d?connect_timeout=9");
    REQUIRE(settings.has_value());
    auto const conninfo = postgres::make_conninfo(*settings, "clerk-worker");
    CHECK(conninfo.find("connect_timeout='9'") != std::string::npos);
    CHECK(conninfo.find("tcp_user_timeout='15000'") != std::string::npos);
    CHECK(conninfo.find(R"(password='it\'s')") != std::string::npos);
    CHECK(conninfo.find("application_name='clerk-worker'") != std::string::npos);
    CHECK(postgres::parse_conninfo("host=").has_value());
    CHECK_FALSE(postgres::parse_conninfo("not a conninfo").has_value());
}

TEST_CASE("outcome: only values that can never be written are refused; outages are retried")
{
    using postgres::work_outcome;
    struct
    {
        char const* sqlstate;
        work_outcome expected;
    } const table[] = {
        {"22001", work_outcome::refused},
        {"22P05", work_outcome::refused},
        {"23502", work_outcome::refused},
        {"23514", work_outcome::refused},
        {"23505", work_outcome::raced},
        {"23503", work_outcome::raced},
        {"40001", work_outcome::raced},
        {"40P01", work_outcome::raced},
        {"55P03", work_outcome::raced},
        {"42703", work_outcome::mismatched},
        {"42501", work_outcome::mismatched},
        {"3F000", work_outcome::mismatched},
        {"08006", work_outcome::unavailable},
        {"25006", work_outcome::unavailable},
        {"28P01", work_outcome::unavailable},
        {"3D000", work_outcome::unavailable},
        {"53100", work_outcome::unavailable},
        {"53300", work_outcome::unavailable},
        {"57014", work_outcome::unavailable},
        {"57P01", work_outcome::unavailable},
        {"58030", work_outcome::unavailable},
        {"XX000", work_outcome::unavailable},
        {"", work_outcome::unavailable},
    };
    for (auto const& row : table) {
        CAPTURE(row.sqlstate);
        CHECK(postgres::outcome_of(row.sqlstate) == row.expected);
    }
}

TEST_CASE("outcome: the logged detail has no value of a row [I6]")
{
    using postgres::safe_detail;
    auto const logged = [](char const* sqlstate) {
        return safe_detail(sqlstate, "ERROR:  ada@example.com\nDETAIL:  x");
    };
    for (char const* const quoting : {"22001", "23505", "40001", "P0001", "45000", "38000", "UE001"}) {
        CAPTURE(quoting);
        CHECK(logged(quoting) == std::string{"SQLSTATE "} + quoting);
    }
    CHECK(safe_detail("57P01", "FATAL:  terminating connection\nDETAIL:  x") == "FATAL:  terminating connection");
    CHECK(safe_detail("42703", "ERROR:  no column \"clerk_id\"\nLINE 1") == "ERROR:  no column \"clerk_id\"");
}
