// The key source while Clerk's API works, is slow, returns errors, or is unreachable.

#include "ingest/token/key_source.hpp"
#include "tests/support/http_stand_in.hpp"
#include "tests/support/ingest/minted_token.hpp"
#include "tests/support/ingest/raw_client.hpp"
#include "tests/support/ingest/running_io.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>

namespace clerk_strapi::tests
{
namespace
{

using namespace std::chrono_literals;
using ingest::key_outcome;
using ingest::refresh_outcome;
using clock = std::chrono::steady_clock;
using kind = manner::kind;

auto const& ours() { return minting_key::ours(); }

// Fractions of a second instead of minutes; other times are so long that none passes within a test.
ingest::key_times long_times()
{
    ingest::key_times times;
    times.retry_first = 20ms;
    times.retry_longest = 40ms;
    return times;
}

struct keys_fixture
{
    explicit keys_fixture(ingest::key_times times = long_times(), manner first = {kind::answer, 200, ours().jwks()})
        : clerk{std::move(first)}
        , source{io.context, settings(times)}
    {
        io.on_thread([this] { source.start(); });
    }

    ingest::key_source_settings settings(ingest::key_times times)
    {
        ingest::key_source_settings chosen;
        chosen.endpoint = ingest::backend_keys(clerk.url(), [this] {
            std::lock_guard const lock{mutex};
            return secret{key};
        });
        chosen.times = times;
        chosen.waiting_max = 100;
        chosen.refreshed = [this](refresh_outcome outcome) {
            std::lock_guard const lock{mutex};
            ++outcomes[outcome];
        };
        return chosen;
    }

    auto start_find(std::string kid)
    {
        return io.spawn(
            [](ingest::signing_key_source& keys, std::string name) -> boost::asio::awaitable<ingest::key_answer> {
                co_return co_await keys.find(name);
            }(source, std::move(kid)));
    }
    key_outcome find(std::string_view kid = token_kid) { return start_find(std::string{kid}).get().outcome; }
    int seen(refresh_outcome outcome)
    {
        std::lock_guard const lock{mutex};
        return outcomes[outcome];
    }
    bool comes(refresh_outcome outcome, int times = 1)
    {
        return eventually(10s, [&] { return seen(outcome) >= times; });
    }

    std::mutex mutex;
    std::string key{"sk_test_1"};
    std::map<refresh_outcome, int> outcomes;
    http_stand_in clerk;
    running_io io;
    ingest::signing_key_source source;
    stop_first stop{io};
};

}

TEST_CASE("key source: a configured PEM needs no network and serves any kid")
{
    running_io io;
    ingest::key_source_settings settings;
    settings.pem = *ingest::rsa_key::from_pem(ours().pem());
    settings.endpoint = ingest::backend_keys("http://127.0.0.1:1", {});
    ingest::signing_key_source source{io.context, std::move(settings)};
    stop_first const stop{io};
    io.on_thread([&] { source.start(); });
    auto const answer = io.spawn(source.find("ins_whatever")).get();
    REQUIRE(answer.outcome == key_outcome::found);
    CHECK(answer.key->verifies("text", ours().sign("text")));
    CHECK(source.up());
}

TEST_CASE("key source: without keys the outcome is not_configured")
{
    running_io io;
    ingest::signing_key_source source{io.context, {}};
    stop_first const stop{io};
    CHECK(io.spawn(source.find("ins_2abc")).get().outcome == key_outcome::not_configured);
    CHECK_FALSE(source.up());
}

TEST_CASE("key source: requests use the keys that were fetched at the start")
{
    keys_fixture it;
    auto const answer = it.start_find(std::string{token_kid}).get();
    REQUIRE(answer.outcome == key_outcome::found);
    CHECK(answer.key->verifies("text", ours().sign("text")));
    for (int i = 0; i < 100; ++i)
        CHECK(it.find() == key_outcome::found);
    CHECK(it.clerk.requests() == 1);
    CHECK(it.clerk.last_request().starts_with("GET /v1/jwks "));
    CHECK(it.clerk.last_request().find("Bearer sk_test_1\r\n") != std::string::npos);
    CHECK(it.io.on_thread([&] { return it.source.up() && it.source.age_seconds().has_value(); }));
}

TEST_CASE("key source: requests during a fetch share it, and none waits longer than its deadline")
{
    auto times = long_times();
    times.wait_max = 200ms;
    keys_fixture it{times, {kind::hang}};
    std::vector<std::future<ingest::key_answer>> finds;
    for (int i = 0; i < 150; ++i)
        finds.push_back(it.start_find(std::string{token_kid}));
    for (auto& each : finds)
        CHECK(each.get().outcome == key_outcome::unavailable); // bounded: the last 50 at once
    CHECK(it.clerk.requests() == 1);

    auto late = it.start_find(std::string{token_kid});
    it.clerk.answer(200, ours().jwks());
    REQUIRE(it.comes(refresh_outcome::refreshed));
    CHECK(it.find() == key_outcome::found);
    CHECK(it.clerk.requests() == 1);
    static_cast<void>(late.get());
}

TEST_CASE("key source: 10 000 unknown kids cause one fetch, known keys work meanwhile (B5) [I6]")
{
    keys_fixture it;
    REQUIRE(it.find() == key_outcome::found);
    it.clerk.hang();
    auto first = it.start_find("ins_stranger");
    CHECK(it.find() == key_outcome::found); // while that fetch hangs
    CHECK(eventually(5s, [&] { return it.clerk.requests() == 2; }));
    it.clerk.answer(200, ours().jwks());
    CHECK(first.get().outcome == key_outcome::unknown);

    std::atomic<int> unknown{0};
    it.io
        .spawn([](keys_fixture& own, std::atomic<int>& count) -> boost::asio::awaitable<void> {
            for (int i = 0; i < 10'000; ++i) {
                auto const kid = "ins_stranger" + std::to_string(i);
                auto const answer = co_await own.source.find(kid);
                count += answer.outcome == key_outcome::unknown ? 1 : 0;
            }
        }(it, unknown))
        .get();
    CHECK(unknown == 10'000);
    CHECK(it.find() == key_outcome::found);
    CHECK(it.clerk.requests() == 2);
}

TEST_CASE("key source: a kid in the negative cache causes no fetch (B5)")
{
    auto times = long_times();
    times.cool_down = 0ms;
    SUBCASE("remembered")
    {
        keys_fixture it{times};
        REQUIRE(it.find() == key_outcome::found);
        CHECK(it.find("ins_stranger") == key_outcome::unknown);
        CHECK(it.find("ins_stranger") == key_outcome::unknown);
        CHECK(it.clerk.requests() == 2);
        CHECK(it.find("ins_another") == key_outcome::unknown);
        CHECK(it.clerk.requests() == 3);
    }
    SUBCASE("forgotten")
    {
        times.unknown = 0ms;
        keys_fixture it{times};
        REQUIRE(it.find() == key_outcome::found);
        CHECK(it.find("ins_stranger") == key_outcome::unknown);
        CHECK(it.find("ins_stranger") == key_outcome::unknown);
        CHECK(it.clerk.requests() == 3);
    }
}

TEST_CASE("key source: a kid that Clerk cannot have made is unknown without a fetch (B4)")
{
    keys_fixture it;
    REQUIRE(it.find() == key_outcome::found);
    for (auto const& kid : {std::string{}, std::string{"../../etc/passwd"}, std::string{"' or 1=1 --"},
             std::string(1024 * 1024, 'a'), std::string(129, 'a'), std::string{"ins_\0x", 6}, std::string{"ins_\xff"}})
        CHECK(it.find(kid) == key_outcome::unknown);
    CHECK(it.clerk.requests() == 1);
}

TEST_CASE("key source: a token with a new kid fetches it; withdrawn keys are then rejected (F22)")
{
    auto times = long_times();
    times.cool_down = 200ms;
    keys_fixture it{times};
    REQUIRE(it.find() == key_outcome::found);
    it.clerk.answer(200, minting_key::strangers().jwks("ins_new"));
    CHECK(it.find("ins_new") == key_outcome::found);
    CHECK(it.clerk.requests() == 2);
    CHECK(it.find() == key_outcome::unknown);

    // After the cool-down an unknown kid may cause one more fetch.
    it.clerk.answer(200, ours().jwks());
    CHECK(eventually(5s, [&] { return it.find() == key_outcome::found; }));
    CHECK(it.clerk.requests() == 3);
}

TEST_CASE("key source: a background refresh drops a withdrawn key (F22)")
{
    auto times = long_times();
    times.refresh = 30ms;
    keys_fixture it{times};
    REQUIRE(it.find() == key_outcome::found);
    it.clerk.answer(200, minting_key::strangers().jwks("ins_new"));
    CHECK(eventually(5s, [&] { return it.find() == key_outcome::unknown; }));
    CHECK(it.find("ins_new") == key_outcome::found);
}

TEST_CASE("key source: after an invalid response the old keys stay, and it recovers (F21)")
{
    struct row
    {
        char const* what;
        manner how;
        refresh_outcome outcome;
    };
    row const rows[] = {
        {"500", {kind::answer, 500, "{}"}, refresh_outcome::unexpected},
        {"the key is refused", {kind::answer, 401, "{}"}, refresh_outcome::refused},
        {"forbidden", {kind::answer, 403, "{}"}, refresh_outcome::refused},
        {"HTML", {kind::answer, 200, "<html>sign in</html>"}, refresh_outcome::invalid},
        {"an empty set", {kind::answer, 200, R"({"keys":[]})"}, refresh_outcome::invalid},
        {"no set", {kind::answer, 200, "{}"}, refresh_outcome::invalid},
        {"redirect", {kind::answer, 302, "", "Location: /elsewhere\r\n"}, refresh_outcome::unexpected},
        {"without end", {kind::huge}, refresh_outcome::too_large},
        {"cut", {kind::cut, 200, ours().jwks()}, refresh_outcome::unreachable},
        {"slow", {kind::dribble_body}, refresh_outcome::timed_out},
        {"silent", {kind::hang}, refresh_outcome::timed_out},
    };
    auto times = long_times();
    times.refresh = 30ms;
    times.fetch_max = 150ms;
    for (auto const& [what, how, outcome] : rows) {
        CAPTURE(what);
        keys_fixture it{times};
        REQUIRE(it.find() == key_outcome::found);
        it.clerk.behave(how);
        CHECK(it.comes(outcome, 2));
        CHECK(it.find() == key_outcome::found);
        CHECK(it.find("ins_stranger") == key_outcome::unavailable);
        CHECK_FALSE(it.io.on_thread([&] { return it.source.up(); }));

        it.clerk.answer(200, minting_key::strangers().jwks("ins_new"));
        CHECK(eventually(5s, [&] { return it.find("ins_new") == key_outcome::found; }));
        CHECK(it.io.on_thread([&] { return it.source.up(); }));
    }
}

TEST_CASE("key source: too old keys are unavailable, not unknown, and it recovers (F21) [I5]")
{
    auto times = long_times();
    times.refresh = 30ms;
    times.stale_max = 300ms;
    keys_fixture it{times};
    REQUIRE(it.find() == key_outcome::found);
    it.clerk.go_away();
    REQUIRE(it.comes(refresh_outcome::unreachable));
    auto const started = clock::now();
    CHECK(eventually(5s, [&] { return it.find() == key_outcome::unavailable; }));
    CHECK(clock::now() - started < 3s);
    CHECK(it.find("ins_stranger") == key_outcome::unavailable);

    it.clerk.come_back();
    CHECK(eventually(5s, [&] { return it.find() == key_outcome::found; }));
}

TEST_CASE("key source: Clerk unreachable at the start is unavailable; requests cause no fetch")
{
    auto times = long_times();
    times.retry_first = times.retry_longest = 1h;
    keys_fixture it{times, {kind::answer, 500, "{}"}};
    REQUIRE(it.comes(refresh_outcome::unexpected));
    for (int i = 0; i < 1'000; ++i)
        CHECK(it.find() == key_outcome::unavailable);
    CHECK(it.clerk.requests() == 1);
}

TEST_CASE("key source: uses a replaced secret key without a restart (F30)")
{
    keys_fixture it{long_times(), {kind::answer, 401, "{}"}};
    REQUIRE(it.comes(refresh_outcome::refused));
    {
        std::lock_guard const lock{it.mutex};
        it.key = "sk_test_2";
    }
    it.clerk.answer(200, ours().jwks());
    CHECK(eventually(5s, [&] { return it.find() == key_outcome::found; }));
    CHECK(it.clerk.last_request().find("Bearer sk_test_2\r\n") != std::string::npos);
}

TEST_CASE("key source: a stop ends every wait")
{
    auto times = long_times();
    times.wait_max = 60s;
    keys_fixture it{times, {kind::hang}};
    auto before = it.start_find(std::string{token_kid});
    it.io.on_thread([&] { it.source.cut_deadlines(clock::now() + 20ms); });
    CHECK(before.get().outcome == key_outcome::unavailable);
    CHECK(it.find() == key_outcome::unavailable);
}

TEST_CASE("key source: the Frontend API's key set is fetched without a secret")
{
    auto const endpoint = ingest::frontend_keys("clerk.example.com");
    CHECK(endpoint.base_url + endpoint.target == "https://clerk.example.com/.well-known/jwks.json");
    CHECK_FALSE(endpoint.bearer);
}

}
