// Which connections a full server closes (I6, C2): the answered, silent, slow or large ones, and never one that sends a
// small request at once.

#include "tests/support/ingest/running_http_server.hpp"
#include "tests/support/ingest/running_ingest.hpp"

#include <boost/asio/post.hpp>
#include <doctest/doctest.h>

#include <atomic>
#include <deque>
#include <functional>
#include <thread>

namespace clerk_strapi::tests
{
namespace
{

using namespace std::chrono_literals;

// Returns the number of received bytes; a response to /long fills every buffer.
class patient_server : public running_http_server
{
public:
    explicit patient_server(http::server_limits limits)
        : running_http_server{limits, [](http::request_view const& request) -> boost::asio::awaitable<http::response> {
                                  http::response page;
                                  page.content_type = "text/plain";
                                  page.body = request.target == "/long" ? std::string(8'000'000, 'x')
                                                                        : std::to_string(request.body.size());
                                  co_return page;
                              }}
    {
    }
};

http::server_limits small_limits()
{
    http::server_limits limits;
    limits.body_bytes_max = 1'000'000;
    limits.body_bytes_together_max = 1'000'000;
    limits.connections_max = 8;
    return limits;
}

void check_served(patient_server const& server)
{
    raw_client good{server.port()};
    good.send(request_text("POST", "/good", {}, std::string(3'000, 'x')));
    auto const answer = good.read_answer(3s);
    REQUIRE(answer);
    CHECK(answer->body == "3000");
}

}

TEST_CASE("http limit: closes connections that never read their response first (C2) [I6]")
{
    patient_server server{small_limits()};
    std::deque<raw_client> deaf;
    for (int i = 0; i < 8; ++i)
        deaf.emplace_back(server.port()).send("GET /long HTTP/1.1\r\nHost: a\r\n\r\n");
    for (auto& each : deaf)
        REQUIRE(each.read_answer(3s, true)); // its header; the body stays unread
    check_served(server);
    check_served(server);
}

TEST_CASE("http limit: the largest unfinished body is dropped for a smaller one (C2) [I6]")
{
    patient_server server{small_limits()};
    std::deque<raw_client> stuck;
    auto const whole = request_text("POST", "/stuck", {}, std::string(250'000, 'x'));
    for (int i = 0; i < 4; ++i) // 998 000 bytes together
        stuck.emplace_back(server.port()).send(std::string_view{whole}.substr(0, whole.size() - 500));
    int refusals = 0;
    CHECK(eventually(10s, [&] {
        check_served(server);
        for (auto& each : stuck) {
            auto const answer = each.read_answer(1ms);
            if (!answer) continue;
            ++refusals;
            CHECK(answer->status == 503);
            CHECK(answer->problem() == "overloaded");
            CHECK(answer->headers.contains("retry-after"));
        }
        return refusals > 0;
    }));
    for (int i = 0; i < 5; ++i)
        check_served(server);
    CHECK(refusals == 1); // dropping one is enough
}

TEST_CASE("http limit: a new connection outlives older unfinished requests (C2) [I6]")
{
    patient_server server{small_limits()};
    std::deque<raw_client> slow;
    auto const crawl = [&] { slow.emplace_back(server.port()).send("GET /x HT"); };
    for (int i = 0; i < 12; ++i)
        crawl();
    for (int turn = 0; turn < 5; ++turn) {
        raw_client good{server.port()};
        crawl();
        crawl();
        CHECK(eventually(5s, [&] { return slow[slow.size() - 9].closed_within(1ms); })); // all were accepted
        good.send("GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
        auto const answer = good.read_answer(3s);
        REQUIRE(answer);
        CHECK(answer->status == 200);
    }
}

// A connection waits until all earlier ones were accepted. A turn of the event loop runs everything that is ready: with
// a thousand active connections it takes some forty milliseconds, so a new connection must not cost a turn each.
TEST_CASE("http accept: takes several new connections per turn under load [I6]")
{
    constexpr int crowd = 400;
    boost::asio::io_context io{1};
    long turns = 0;
    std::atomic<long> turns_for_all{0};
    int served = 0;
    http::server server{
        io, "127.0.0.1", 0, {}, [&](http::request_view const&) -> boost::asio::awaitable<http::response> {
            if (++served == crowd) turns_for_all = turns;
            co_return http::response{};
        }};
    std::deque<raw_client> new_clients; // accepted by the kernel, and not yet by the server
    for (int i = 0; i < crowd; ++i)
        new_clients.emplace_back(server.port()).send("GET /x HTTP/1.1\r\nHost: a\r\n\r\n");

    std::function<void()> const work = [&] {
        ++turns;
        boost::asio::post(io, work);
    };
    boost::asio::post(io, work);
    server.start();
    std::thread running{[&] { io.run(); }};
    CHECK(eventually(10s, [&] { return turns_for_all > 0; }));
    io.stop();
    running.join();
    CHECK(served == crowd);
    CHECK(turns_for_all.load() < crowd / 10);
}

TEST_CASE("http limit: an active connection outlives silent newer ones (C2) [I6]")
{
    patient_server server{small_limits()};
    raw_client early{server.port()};
    early.send("GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
    REQUIRE(early.read_answer(3s));
    std::deque<raw_client> crowd;
    for (int i = 0; i < 30; ++i) {
        crowd.emplace_back(server.port());
        early.send("GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
        auto const answer = early.read_answer(3s);
        REQUIRE(answer);
        CHECK(answer->status == 200);
    }
}

}
