// Offset gaps (D11), and what only looks like one.

#include "worker/consume/offset_watch.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace clerk_strapi::worker;

namespace
{

// Ten checks, one per second.
std::vector<offset_gap> reported(offset_watch& watch, std::int64_t first)
{
    std::vector<offset_gap> all;
    for (auto i = 0; i < 10; ++i) {
        if (auto const found = watch.begins(0, first)) all.push_back(*found);
    }
    return all;
}

using gaps = std::vector<offset_gap>;

}

TEST_CASE("offset watch: reports a partition that begins after the position once [D11]")
{
    offset_watch watch;
    watch.starts(0, 100);
    SUBCASE("the beginning is known before the oldest record arrives")
    {
        CHECK(reported(watch, 150) == gaps{offset_gap::truncated});
        CHECK_FALSE(watch.read(0, 150));
    }
    SUBCASE("the oldest record arrives before the beginning is known")
    {
        CHECK_FALSE(watch.begins(0, 40)); // the former beginning
        CHECK_FALSE(watch.read(0, 150));
        CHECK_FALSE(watch.begins(0, 40));
        CHECK(reported(watch, 150) == gaps{offset_gap::truncated});
    }
    CHECK_FALSE(watch.read(0, 151));
    CHECK(reported(watch, 151).empty());
    CHECK(reported(watch, 400) == gaps{offset_gap::truncated}); // again, while it was paused
}

TEST_CASE("offset watch: a stored position of 0 counts as a position [D11]")
{
    offset_watch watch;
    watch.starts(0, 0);
    CHECK(reported(watch, 0).empty());
    CHECK(reported(watch, 1) == gaps{offset_gap::truncated});
}

TEST_CASE("offset watch: reports a record before the position once, as rewound [D11]")
{
    offset_watch watch;
    watch.starts(0, 100);
    CHECK(watch.read(0, 0) == offset_gap::rewound);
    CHECK_FALSE(watch.read(0, 1));
    CHECK(reported(watch, 0).empty());
}

TEST_CASE("offset watch: new partitions, continuous offsets and transaction markers are no gap [D11]")
{
    offset_watch watch;
    SUBCASE("a partition without a stored position")
    {
        watch.starts(0, std::nullopt);
        CHECK(reported(watch, 500).empty());
        CHECK_FALSE(watch.read(0, 500));
    }
    SUBCASE("records in order, and retention before all of them")
    {
        watch.starts(0, 100);
        for (auto offset = 100; offset < 110; ++offset)
            CHECK_FALSE(watch.read(0, offset));
        CHECK(reported(watch, 109).empty());
    }
    SUBCASE("a gap whose offsets still exist, and which retention removes later")
    {
        watch.starts(0, 100);
        CHECK_FALSE(watch.read(0, 102));
        CHECK(reported(watch, 50).empty());
        CHECK(reported(watch, 103).empty());
    }
    SUBCASE("a partition of another worker") { CHECK(reported(watch, 7).empty()); }
}
