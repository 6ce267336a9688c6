#include "worker/operate/progress.hpp"

#include <doctest/doctest.h>

#include <vector>

namespace clerk_strapi::worker::commands
{
namespace
{

using namespace std::chrono_literals;

struct progress_fixture
{
    progress::clock::time_point now{};
    std::vector<std::string> written;

    progress::surroundings around(bool terminal)
    {
        return {terminal, [this] { return now; }, [this](std::string const& text) { written.push_back(text); }};
    }
};

}

TEST_CASE_FIXTURE(
    progress_fixture, "progress: redraws one line with bar, rate and time left on a terminal, and clears it")
{
    {
        progress shown{"replay", "events", 1000, around(true)};
        now += 1s;
        shown.advance(250);
        REQUIRE(written.size() == 1);
        CHECK(written[0].find("[######") != std::string::npos);
        CHECK(written[0].find("25 %, 250 of 1000 events, 250/s, 3 s left") != std::string::npos);
        now += 10ms;
        shown.advance(1);
        CHECK(written.size() == 1); // not for every batch
    }
    CHECK(written.back() == "\r\x1b[K");
}

TEST_CASE_FIXTURE(progress_fixture, "progress: prints a plain line every ten seconds without a terminal")
{
    progress shown{"backfill", "users", std::nullopt, around(false)};
    now += 1s;
    shown.advance(500);
    CHECK(written.empty());
    now += 9s;
    shown.advance(500);
    REQUIRE(written.size() == 1);
    CHECK(written[0] == "backfill: 1000 users, 100/s\n");
}

TEST_CASE_FIXTURE(progress_fixture, "progress: shows 100 % when the total was too small")
{
    progress shown{"replay", "events", 10, around(false)};
    now += 10s;
    shown.advance(20);
    CHECK(written.at(0) == "replay: 100 %, 20 of 10 events, 2/s\n");
}

}
