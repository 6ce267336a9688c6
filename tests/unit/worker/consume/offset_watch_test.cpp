// Where the log does not go on where we stopped (D11), and where it only looks so.

#include "worker/consume/offset_watch.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace clerk_strapi::worker;

namespace
{

// A look in each of ten seconds.
std::vector<log_break> told(log_watch& watch, std::int64_t first)
{
    std::vector<log_break> all;
    for (auto i = 0; i < 10; ++i) {
        if (auto const found = watch.begins(0, first)) all.push_back(*found);
    }
    return all;
}

using breaks = std::vector<log_break>;

}

TEST_CASE("a log that begins behind the position has lost events, told once, read or not [D11]")
{
    log_watch watch;
    watch.starts(0, 100);
    SUBCASE("it is known before its oldest record comes")
    {
        CHECK(told(watch, 150) == breaks{log_break::truncated});
        CHECK_FALSE(watch.read(0, 150));
    }
    SUBCASE("its oldest record came, and then it is known where the log begins")
    {
        CHECK_FALSE(watch.begins(0, 40)); // what was known before
        CHECK_FALSE(watch.read(0, 150));
        CHECK_FALSE(watch.begins(0, 40));
        CHECK(told(watch, 150) == breaks{log_break::truncated});
    }
    CHECK_FALSE(watch.read(0, 151));
    CHECK(told(watch, 151).empty());
    CHECK(told(watch, 400) == breaks{log_break::truncated}); // again, while it was paused
}

TEST_CASE("a position at the very beginning is known as well [D11]")
{
    log_watch watch;
    watch.starts(0, 0);
    CHECK(told(watch, 0).empty());
    CHECK(told(watch, 1) == breaks{log_break::truncated});
}

TEST_CASE("a record before the position means another log, told once [D11]")
{
    log_watch watch;
    watch.starts(0, 100);
    CHECK(watch.read(0, 0) == log_break::rewound);
    CHECK_FALSE(watch.read(0, 1));
    CHECK(told(watch, 0).empty());
}

TEST_CASE("what is new to the database, goes on, or has only marks of transactions in between, is no alarm [D11]")
{
    log_watch watch;
    SUBCASE("a partition that the database does not know")
    {
        watch.starts(0, std::nullopt);
        CHECK(told(watch, 500).empty());
        CHECK_FALSE(watch.read(0, 500));
    }
    SUBCASE("records in order, with retention far behind")
    {
        watch.starts(0, 100);
        for (auto offset = 100; offset < 110; ++offset)
            CHECK_FALSE(watch.read(0, offset));
        CHECK(told(watch, 109).empty());
    }
    SUBCASE("a gap whose offsets the log still has, and which retention takes later")
    {
        watch.starts(0, 100);
        CHECK_FALSE(watch.read(0, 102));
        CHECK(told(watch, 50).empty());
        CHECK(told(watch, 103).empty());
    }
    SUBCASE("a partition that is not read here") { CHECK(told(watch, 7).empty()); }
}
