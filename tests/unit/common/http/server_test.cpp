#include "tests/support/ingest/running_http_server.hpp"
#include "tests/support/ingest/running_ingest.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <deque>
#include <dirent.h>

namespace clerk_strapi::tests
{
namespace
{

using namespace std::chrono_literals;

// A server with short times and a handler that returns what it received.
class short_tempered_server : public running_http_server
{
public:
    explicit short_tempered_server(http::server_limits limits)
        : running_http_server{limits, [](http::request_view const& request) -> boost::asio::awaitable<http::response> {
                                  http::response page;
                                  page.content_type = "text/plain";
                                  page.body = std::string{request.target} + " " + std::to_string(request.body.size());
                                  co_return page;
                              }}
    {
    }
};

http::server_limits short_limits()
{
    http::server_limits limits;
    limits.head_time = 300ms;
    limits.request_time = 600ms;
    limits.write_time = 300ms;
    limits.idle_time = 500ms;
    limits.linger_time = 200ms;
    limits.body_bytes_max = 10'000'000;
    limits.body_bytes_together_max = 1'000'000;
    limits.connections_max = 8;
    return limits;
}

std::size_t open_descriptors()
{
    std::size_t count = 0;
    auto* const folder = ::opendir("/proc/self/fd");
    while (::readdir(folder) != nullptr)
        ++count;
    ::closedir(folder);
    return count;
}

}

TEST_CASE("http server: answers an unclear request with 400 and closes (C1, C8)")
{
    auto& ingest = shared_ingest::get().ingest;
    std::pair<std::string, std::string> const table[] = {
        {"C1 length and chunked",
            "POST /webhooks/clerk HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\nTransfer-Encoding: "
            "chunked\r\n\r\n0\r\n\r\nG"},
        {"C1 two lengths",
            "POST /webhooks/clerk HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\nContent-Length: 5\r\n\r\n"},
        {"C1 xchunked", "POST /webhooks/clerk HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"},
        {"C1 chunk -2", "POST /webhooks/clerk HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n-2\r\nab\r\n"},
        {"C1 huge chunk",
            "POST /webhooks/clerk HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nab\r\n"},
        {"C1 bare LF", "POST /webhooks/clerk HTTP/1.1\nHost: a\n\n"},
        {"C1 folded", "POST /webhooks/clerk HTTP/1.1\r\nHost: a\r\nX: y\r\n z\r\n\r\n"},
        {"C8 HTTP/0.9", "GET /webhooks/clerk\r\n"},
        {"C8 TLS", std::string("\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03", 11)},
        {"C8 HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"},
    };
    for (auto const& [name, bytes] : table) {
        CAPTURE(name);
        raw_client client{ingest.port()};
        client.send(bytes + "GET /second HTTP/1.1\r\nHost: a\r\n\r\n");
        auto const answer = client.read_answer(5s);
        REQUIRE(answer);
        CHECK(answer->status == 400);
        CHECK(answer->problem() == "bad_request");
        CHECK_FALSE(client.read_answer(5s).has_value()); // one request never becomes two
    }
}

TEST_CASE("http server: each limit and refusal has its own status (C3, C8, C9)")
{
    auto& ingest = shared_ingest::get().ingest;
    std::string many;
    for (int i = 0; i < 1000; ++i)
        many += "X: y\r\n";
    struct
    {
        std::string name, bytes;
        int status;
        std::string problem;
    } const table[] = {
        {"C3 17 KiB of header", "GET /x HTTP/1.1\r\nHost: a\r\nX: " + std::string(17 * 1024, 'x') + "\r\n\r\n", 431,
            "headers_too_large"},
        {"C3 1000 fields", "GET /x HTTP/1.1\r\nHost: a\r\n" + many + "\r\n", 431, "headers_too_large"},
        {"C3 target of 5 KiB", "GET /" + std::string(5000, 'x') + " HTTP/1.1\r\nHost: a\r\n\r\n", 414, "uri_too_long"},
        {"C8 CONNECT", "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", 501, "not_implemented"},
        {"C8 other expectation", "POST /x HTTP/1.1\r\nHost: a\r\nExpect: tea\r\nContent-Length: 1\r\n\r\n", 417,
            "expectation_failed"},
        {"C9 gzip", "POST /webhooks/clerk HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\n",
            415, "unsupported_encoding"},
        {"C8 upgrade not taken", "GET /x HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n", 404,
            "not_found"},
    };
    for (auto const& row : table) {
        CAPTURE(row.name);
        raw_client client{ingest.port()};
        client.send(row.bytes);
        auto const answer = client.read_answer(5s);
        REQUIRE(answer);
        CHECK(answer->status == row.status);
        CHECK(answer->problem() == row.problem);
        if (row.status != 404) CHECK(client.closed_within(5s));
    }
}

TEST_CASE("http server: counts each refusal once, by its problem type (C1, C3, C8, C9)")
{
    auto& ingest = shared_ingest::get().ingest;
    auto const counted = [&](std::string const& reason) {
        return ingest.metric("clerk_ingest_http_refused_total{reason=\"" + reason + "\"}");
    };
    std::string const target = " HTTP/1.1\r\nHost: a\r\n";
    std::pair<std::string, std::string> const table[] = {
        {"bad_request", "GET /x HTTP/1.1\n\n"},
        {"bad_request", std::string("\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03", 11) + "\r\n\r\n"},
        {"uri_too_long", "GET /" + std::string(5000, 'x') + target + "\r\n"},
        {"headers_too_large", "GET /x" + target + "X: " + std::string(17 * 1024, 'x') + "\r\n\r\n"},
        {"too_large", "POST /x" + target + "Content-Length: 786433\r\n\r\n"},
        {"unsupported_encoding", "POST /x" + target + "Content-Encoding: gzip\r\nContent-Length: 1\r\n\r\n"},
        {"expectation_failed", "POST /x" + target + "Expect: tea\r\nContent-Length: 1\r\n\r\n"},
        {"not_implemented", "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n"},
    };
    for (auto const& [reason, bytes] : table) {
        CAPTURE(reason);
        auto const before = counted(reason);
        raw_client client{ingest.port()};
        client.send(bytes);
        auto const answer = client.read_answer(5s);
        REQUIRE(answer);
        CHECK(answer->problem() == reason);
        CHECK(counted(reason) == before + 1);
    }
    auto const all = [&] {
        double sum = 0;
        for (auto const fault : http::faults)
            sum += counted(std::string{http::describe(fault).type});
        return sum;
    };
    auto const before = all();
    CHECK(ingest.call("GET", "/nothing").status == 404); // a refusal of the handler is not counted here
    CHECK(ingest.call("GET", "/webhooks/clerk").status == 405);
    CHECK(all() == before);
}

TEST_CASE("http server: odd paths are 404, and admin pages are not public (C4, C11)")
{
    auto& ingest = shared_ingest::get().ingest;
    for (std::string const target : {"/", "//webhooks/clerk", "/webhooks/../webhooks/clerk", "/%77ebhooks/clerk",
             "/webhooks/clerk/", "/webhooks/clerk;a=b", "/webhooks/clerk%00", "/WEBHOOKS/CLERK",
             "http://ingest/webhooks/clerk", "/metrics", "/readyz", "/livez", "/admin", "/replay"}) {
        CAPTURE(target);
        auto const answer = ingest.call("POST", target);
        CHECK(answer.status == 404);
        CHECK(answer.problem() == "not_found");
    }
    CHECK(ingest.call("GET", "*").status == 404);
}

TEST_CASE("http server: never repeats a part of the request in a response (C5)")
{
    auto& ingest = shared_ingest::get().ingest;
    auto const answer = ingest.call("POST", "/webhooks/clerk",
        {{"svix-id", "msg_%0d%0aSet-Cookie:a"}, {"svix-timestamp", "1"}, {"svix-signature", "v1,<script>"}}, "x");
    CHECK(answer.status == 400);
    CHECK(answer.body.find("Set-Cookie") == std::string::npos);
    CHECK(answer.body.find("script") == std::string::npos);
    CHECK_FALSE(answer.headers.contains("set-cookie"));
}

TEST_CASE("http server: answers pipelined requests in order and leaks nothing (C7)")
{
    auto& ingest = shared_ingest::get().ingest;
    raw_client client{ingest.port()};
    auto const body = user_event("user.created", "user_5");
    std::string burst;
    for (int i = 0; i < 50; ++i) {
        burst += request_text("POST", "/webhooks/clerk", signed_headers("msg_pipe" + std::to_string(i), body), body);
        burst += "GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n";
    }
    client.send(burst);
    for (int i = 0; i < 100; ++i) {
        auto const answer = client.read_answer();
        REQUIRE(answer);
        CHECK(answer->status == (i % 2 == 0 ? 200 : 404));
    }
    auto const before = open_descriptors();
    for (int i = 0; i < 2000; ++i)
        raw_client{ingest.port()}.send("GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(eventually(10s, [&] { return open_descriptors() <= before + 8; }));
}

TEST_CASE("http server: supports 100-continue, and HTTP/1.0 with and without keep-alive (C8)")
{
    auto& ingest = shared_ingest::get().ingest;
    auto const body = user_event("user.created", "user_6");
    auto headers = signed_headers("msg_continue", body);
    headers.emplace_back("Expect", "100-continue");
    auto const whole = request_text("POST", "/webhooks/clerk", headers, body);
    raw_client client{ingest.port()};
    client.send(whole.substr(0, whole.size() - body.size()));
    auto const interim = client.read_answer(5s, true);
    REQUIRE(interim);
    CHECK(interim->status == 100);
    client.send(body);
    auto const answer = client.read_answer();
    REQUIRE(answer);
    CHECK(answer->status == 200);

    raw_client old{ingest.port()};
    old.send("GET /x HTTP/1.0\r\n\r\n");
    CHECK(old.read_answer()->status == 404);
    CHECK(old.closed_within(5s));
    raw_client kept{ingest.port()};
    kept.send("GET /x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    CHECK(kept.read_answer()->headers.at("connection") == "keep-alive");
    kept.send("GET /x HTTP/1.0\r\n\r\n");
    CHECK(kept.read_answer()->status == 404);
}

TEST_CASE("http server: ends slow requests with 408, closes idle and unread connections (C2)")
{
    short_tempered_server server{short_limits()};
    raw_client slow_head{server.port()};
    slow_head.send("GET /x HT");
    auto const answer = slow_head.read_answer(3s);
    REQUIRE(answer);
    CHECK(answer->status == 408);
    CHECK(slow_head.closed_within(3s));

    raw_client slow_body{server.port()};
    slow_body.send("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nabc");
    auto const cut = slow_body.read_answer(3s);
    REQUIRE(cut);
    CHECK(cut->status == 408);

    raw_client silent{server.port()};
    CHECK(silent.closed_within(3s));

    raw_client idle{server.port()};
    idle.send("GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(idle.read_answer(3s)->status == 200);
    CHECK(idle.closed_within(3s));

    auto const without = open_descriptors();
    raw_client unread{server.port()}; // sends requests and never reads: the responses fill every buffer
    CHECK(eventually(3s, [&] { return open_descriptors() == without + 2; })); // both ends
    std::string const request_head = "GET /" + std::string(3000, 'x') + " HTTP/1.1\r\nHost: a\r\n\r\n";
    std::atomic<bool> closed{false};
    std::thread sender{[&] {
        while (!closed)
            unread.send(request_head);
    }};
    CHECK(eventually(10s, [&] { return open_descriptors() == without + 1; }));
    closed = true;
    sender.join();
}

TEST_CASE("http server: returns 503 above the memory for all bodies, and recovers")
{
    short_tempered_server server{short_limits()};
    raw_client large{server.port()};
    large.send(request_text("POST", "/x", {}, std::string(1'500'000, 'x')));
    auto const refused = large.read_answer(5s);
    REQUIRE(refused);
    CHECK(refused->status == 503);
    CHECK(refused->problem() == "overloaded");
    CHECK(refused->headers.contains("retry-after"));
    CHECK(eventually(5s, [&] {
        raw_client next{server.port()};
        next.send(request_text("POST", "/x", {}, std::string(900'000, 'x')));
        auto const answer = next.read_answer(5s);
        return answer && answer->body == "/x 900000";
    }));
}

TEST_CASE("http server: closes the oldest idle connection at the limit (C2)")
{
    short_tempered_server server{short_limits()};
    std::deque<raw_client> crowd;
    for (int i = 0; i < 40; ++i)
        crowd.emplace_back(server.port());
    raw_client good{server.port()};
    good.send("GET /good HTTP/1.1\r\nHost: a\r\n\r\n");
    auto const answer = good.read_answer(3s);
    REQUIRE(answer);
    CHECK(answer->body == "/good 0");
}

TEST_CASE("admin endpoint: serves exactly three pages")
{
    auto& [kafka, ingest] = shared_ingest::get();
    CHECK(ingest.admin("/livez").status == 200);
    CHECK(ingest.admin("/metrics").body.find("# TYPE clerk_ingest_webhooks_total counter") != std::string::npos);
    CHECK(eventually(
        5s, [&] { return ingest.admin("/readyz").body.find(R"({"check":"kafka","ok":true)") != std::string::npos; }));
    CHECK(eventually(5s, [&] { return ingest.admin("/readyz").status == 200; }));
    CHECK(eventually(5s, [&] { return ingest.metric("clerk_ingest_dependency_up{dependency=\"kafka\"}") == 1; }));
    CHECK(ingest.admin("/").status == 404);
    CHECK(ingest.admin("/webhooks/clerk").status == 404);
    auto const refused = ingest.admin("/metrics", "POST");
    CHECK(refused.status == 405);
    CHECK(refused.headers.at("allow") == "GET, HEAD");
}

}
