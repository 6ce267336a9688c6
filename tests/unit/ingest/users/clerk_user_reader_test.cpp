// Reading a user from Clerk's API: found, absent, or unavailable by the deadline.

#include "ingest/users/clerk_user_reader.hpp"
#include "tests/support/http_stand_in.hpp"
#include "tests/support/ingest/raw_client.hpp"
#include "tests/support/ingest/running_io.hpp"

#include <doctest/doctest.h>

#include <map>
#include <mutex>

namespace clerk_strapi::tests
{
namespace
{

using namespace std::chrono_literals;
using ingest::clerk_answer;
using ingest::clerk_outcome;
using ingest::read_outcome;
using clock = std::chrono::steady_clock;
using kind = manner::kind;

constexpr auto missing = R"({"errors":[{"code":"resource_not_found"}]})";

struct reader_fixture
{
    explicit reader_fixture(std::size_t waiting_max = 200)
        : reader{io.context, settings(waiting_max)}
    {
    }

    ingest::user_reader_settings settings(std::size_t waiting_max)
    {
        ingest::user_reader_settings chosen;
        chosen.api_url = clerk.url();
        chosen.secret_key = [this] {
            std::lock_guard const lock{mutex};
            return secret{key};
        };
        chosen.body_bytes_max = 10'000;
        chosen.waiting_max = waiting_max;
        chosen.pause_default = 50ms;
        chosen.finished = [this](read_outcome outcome) {
            std::lock_guard const lock{mutex};
            ++outcomes[outcome];
        };
        return chosen;
    }
    auto start_read(std::string id, std::chrono::milliseconds time)
    {
        return io.spawn([](ingest::clerk_users& users, std::string name,
                            clock::time_point until) -> boost::asio::awaitable<clerk_answer> {
            co_return co_await users.read(name, until);
        }(reader, std::move(id), clock::now() + time));
    }
    clerk_answer read(std::string id = "user_1", std::chrono::milliseconds time = 10s)
    {
        return start_read(std::move(id), time).get();
    }
    bool up()
    {
        return io.on_thread([this] { return reader.up(); });
    }
    int seen(read_outcome outcome)
    {
        std::lock_guard const lock{mutex};
        return outcomes[outcome];
    }

    std::mutex mutex;
    std::string key{"sk_test_1"};
    std::map<read_outcome, int> outcomes;
    http_stand_in clerk;
    running_io io;
    ingest::clerk_user_reader reader;
    stop_first stop{io};
};

}

TEST_CASE("user reader: returns the user as Clerk sent it with the request's time, or absent")
{
    reader_fixture it;
    it.clerk.behave_at("/v1/users/user_1", {kind::answer, 200, R"({"id":"user_1", "odd" : 1.0})"});
    it.clerk.answer(404, missing);
    auto const before = std::chrono::system_clock::now();
    auto const found = it.read("user_1");
    CHECK(found.outcome == clerk_outcome::found);
    CHECK(found.user == R"({"id":"user_1", "odd" : 1.0})");
    CHECK(found.asked_at >= before);
    CHECK(found.asked_at <= std::chrono::system_clock::now());
    CHECK(it.clerk.last_request().find("Bearer sk_test_1\r\n") != std::string::npos);
    CHECK(it.read("user_2").outcome == clerk_outcome::absent);
    CHECK(it.up());
}

TEST_CASE("user reader: an invalid id never becomes part of a URL (B4)")
{
    reader_fixture it;
    for (auto const& id : {std::string{}, std::string{"user_1/../.."}, std::string{"user_1?limit=1"},
             std::string{"user_1\r\nX: 1"}, std::string{"user_%2e"}, std::string(129, 'a')})
        CHECK(it.read(id).outcome == clerk_outcome::absent);
    CHECK(it.clerk.requests() == 0);
}

TEST_CASE("user reader: only a 404 means absent, and it recovers by itself (F21) [I5, I9]")
{
    struct row
    {
        char const* what;
        manner how;
        read_outcome outcome;
    };
    row const rows[] = {
        {"the key is refused", {kind::answer, 401, "{}"}, read_outcome::refused},
        {"forbidden", {kind::answer, 403, "{}"}, read_outcome::refused},
        {"500", {kind::answer, 500, "{}"}, read_outcome::unexpected},
        {"gone", {kind::answer, 410, "{}"}, read_outcome::unexpected},
        {"redirect", {kind::answer, 307, "", "Location: /\r\n"}, read_outcome::unexpected},
        {"too large", {kind::answer, 200, std::string(10'001, ' ')}, read_outcome::too_large},
        {"without end", {kind::huge}, read_outcome::too_large},
        {"cut", {kind::cut, 200, R"({"id":"user_1"})"}, read_outcome::unreachable},
        {"closed", {kind::close}, read_outcome::unreachable},
    };
    reader_fixture it;
    for (auto const& [what, how, outcome] : rows) {
        CAPTURE(what);
        auto const before = it.seen(outcome);
        it.clerk.behave(how);
        auto const answer = it.read();
        CHECK(answer.outcome == clerk_outcome::unavailable);
        CHECK(answer.user.empty());
        CHECK(it.seen(outcome) == before + 1);
        CHECK_FALSE(it.up());
        it.clerk.answer(200, R"({"id":"user_1"})");
        CHECK(it.read().outcome == clerk_outcome::found);
        CHECK(it.up());
    }
}

TEST_CASE("user reader: a slow response times out and does not stop the others [I6]")
{
    reader_fixture it;
    it.clerk.behave_at("/v1/users/user_slow", {kind::hang});
    it.clerk.answer(200, "{}");
    auto slow = it.start_read("user_slow", 60s);
    CHECK(eventually(5s, [&] { return it.clerk.requests() == 1; }));
    CHECK(it.read("user_1").outcome == clerk_outcome::found); // on the other thread

    auto slower = it.start_read("user_slow", 150ms);
    auto const started = clock::now();
    auto queued = it.start_read("user_2", 100ms); // queued behind both
    CHECK(slower.get().outcome == clerk_outcome::unavailable);
    static_cast<void>(queued.get());
    CHECK(clock::now() - started < 3s);
    it.clerk.behave_at("/v1/users/user_slow", {kind::answer, 200, "{}"});
    CHECK(slow.get().outcome == clerk_outcome::found);
}

TEST_CASE("user reader: after 429 sends no request until the time that Clerk named")
{
    reader_fixture it;
    it.clerk.answer(429, "{}", "Retry-After: 30\r\n");
    CHECK(it.read().outcome == clerk_outcome::unavailable);
    it.clerk.answer(200, "{}");
    for (int i = 0; i < 100; ++i)
        CHECK(it.read().outcome == clerk_outcome::unavailable);
    CHECK(it.clerk.requests() == 1);

    reader_fixture other;
    other.clerk.answer(429, "{}");
    CHECK(other.read().outcome == clerk_outcome::unavailable);
    other.clerk.answer(200, "{}");
    CHECK(eventually(5s, [&] { return other.read().outcome == clerk_outcome::found; })); // after the default pause
    CHECK(other.clerk.requests() == 2);
}

TEST_CASE("user reader: calls above the bound are rejected at once, the others are answered [I6]")
{
    reader_fixture it{5};
    it.clerk.hang();
    std::vector<std::future<clerk_answer>> within;
    for (int i = 0; i < 5; ++i)
        within.push_back(it.start_read("user_1", 60s));
    CHECK(eventually(5s, [&] { return it.io.on_thread([&] { return it.reader.waiting() == 5; }); }));
    CHECK(it.read("user_2", 60s).outcome == clerk_outcome::unavailable);
    CHECK(it.seen(read_outcome::overloaded) == 1);
    it.clerk.answer(200, "{}");
    for (auto& each : within)
        CHECK(each.get().outcome == clerk_outcome::found);
}

TEST_CASE("user reader: uses a replaced secret key without a restart (F30)")
{
    reader_fixture it;
    {
        std::lock_guard const lock{it.mutex};
        it.key = "sk_test_2";
    }
    CHECK(it.read().outcome == clerk_outcome::found);
    CHECK(it.clerk.last_request().find("Bearer sk_test_2\r\n") != std::string::npos);
}

TEST_CASE("user reader: a stop ends every wait in time, even if Clerk hangs [I6]")
{
    auto const started = clock::now();
    {
        reader_fixture it;
        it.clerk.hang();
        auto waiting = it.start_read("user_1", 60s);
        CHECK(eventually(5s, [&] { return it.clerk.requests() == 1; }));
        it.io.on_thread([&] { it.reader.cut_deadlines(clock::now() + 20ms); });
        CHECK(waiting.get().outcome == clerk_outcome::unavailable);
        CHECK(it.read("user_2", 60s).outcome == clerk_outcome::unavailable);
    }
    CHECK(clock::now() - started < 8s);
}

TEST_CASE("user reader: reads no user without a secret key")
{
    running_io io;
    ingest::clerk_user_reader reader{io.context, {}};
    stop_first const stop{io};
    CHECK(io.spawn(reader.read("user_1", clock::now() + 1s)).get().outcome == clerk_outcome::unavailable);
}

}
