// C1, C3, C4, C8, C9, C11, checked by the requests that reach a handler: a rejected message has its exact status and
// closes the connection, and neither it nor a request smuggled behind it reaches the handler.

#include "tests/support/ingest/running_http_server.hpp"
#include "tests/support/ingest/running_ingest.hpp"

#include <doctest/doctest.h>

#include <mutex>
#include <vector>

namespace clerk_strapi::tests
{
namespace
{

using namespace std::chrono_literals;

// Records each request that its handler received.
class counting_server
{
public:
    [[nodiscard]] std::uint16_t port() const { return server_.port(); }
    [[nodiscard]] std::vector<std::string> handled()
    {
        std::lock_guard const alone{mutex_};
        return std::exchange(handled_, {});
    }

private:
    static boost::asio::awaitable<http::response> answer() { co_return http::response{}; }

    std::mutex mutex_;
    std::vector<std::string> handled_;
    running_http_server server_{{}, [this](http::request_view const& request) {
                                    std::lock_guard const alone{mutex_};
                                    handled_.emplace_back(request.target);
                                    return answer();
                                }};
};

struct row
{
    std::string name;
    std::string bytes;
    int status;
};

std::string post(std::string const& headers, std::string const& body)
{
    return "POST /first HTTP/1.1\r\nHost: a\r\n" + headers + "\r\n" + body;
}

std::string const smuggled = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
std::string const chunked = "Transfer-Encoding: chunked\r\n";

std::string fields(int count)
{
    std::string text = "GET /first HTTP/1.1\r\nHost: a\r\n";
    for (int i = 0; i < count; ++i)
        text += "X-" + std::to_string(i) + ": y\r\n";
    return text + "\r\n";
}

}

TEST_CASE("[I6] C1, C3, C8, C9: a rejected request is never handled, nor is one behind it")
{
    row const table[] = {
        {"C1 length and chunked", post("Content-Length: 6\r\n" + chunked, "0\r\n\r\n"), 400},
        {"C1 chunked and length", post(chunked + "Content-Length: 6\r\n", "0\r\n\r\n"), 400},
        {"C1 two lengths", post("Content-Length: 0\r\nContent-Length: 40\r\n", ""), 400},
        {"C1 one length twice", post("Content-Length: 0\r\nContent-Length: 0\r\n", ""), 400},
        {"C1 length 0x0", post("Content-Length: 0x0\r\n", ""), 400},
        {"C1 length +0", post("Content-Length: +0\r\n", ""), 400},
        {"C1 xchunked", post("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n"), 400},
        {"C1 chunked with a parameter", post("Transfer-Encoding: chunked;q=1\r\n", "0\r\n\r\n"), 400},
        {"C1 a tab before the colon", post("Transfer-Encoding\t: chunked\r\n", "0\r\n\r\n"), 400},
        {"C1 chunk -2", post(chunked, "-2\r\nab\r\n0\r\n\r\n"), 400},
        {"C1 chunk ffffffffffffffff", post(chunked, "ffffffffffffffff\r\nab\r\n0\r\n\r\n"), 400},
        {"C1 chunk 0x1", post(chunked, "0x1\r\na\r\n0\r\n\r\n"), 400},
        {"C1 chunk size after a space", post(chunked, " 1\r\na\r\n0\r\n\r\n"), 400},
        {"C1 chunk closed by a bare LF", post(chunked, "1\na\r\n0\r\n\r\n"), 400},
        {"C1 a length in the trailer", post(chunked, "0\r\nContent-Length: 400\r\n\r\n"), 400},
        {"C1 bare LF", "POST /first HTTP/1.1\nHost: a\nContent-Length: 0\n\n", 400},
        {"C1 folded", post("X: y\r\n z\r\n", ""), 400},
        {"C3 header block", post("X: " + std::string(17 * 1024, 'x') + "\r\n", ""), 431},
        {"C3 1000 fields", fields(1000), 431},
        {"C3 target", "GET /" + std::string(4097, 'x') + " HTTP/1.1\r\nHost: a\r\n\r\n", 414},
        {"C8 expectation", post("Expect: tea\r\nContent-Length: 1\r\n", "x"), 417},
        {"C8 CONNECT", "CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", 501},
        {"C8 HTTP/0.9", "GET /first\r\n", 400},
        {"C8 HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400},
        {"C8 TLS", std::string("\x16\x03\x03\x01\x00\x01\x00\x00\xfc\x03\x03", 11), 400},
        {"C9 gzip", post("Content-Encoding: gzip\r\nContent-Length: 1\r\n", "x"), 415},
        {"C9 br", post("Content-Encoding: br\r\nContent-Length: 1\r\n", "x"), 415},
        {"C9 gzip of gzip", post("Content-Encoding: gzip, gzip\r\n" + chunked, "1\r\nx\r\n0\r\n\r\n"), 415},
        {"C9 gzip as a transfer coding", post("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"), 400},
    };
    counting_server server;
    for (auto const& [name, bytes, status] : table) {
        CAPTURE(name);
        raw_client client{server.port()};
        client.send(bytes + smuggled);
        auto const answer = client.read_answer(5s);
        REQUIRE(answer);
        CHECK(answer->status == status);
        CHECK_FALSE(client.read_answer(5s).has_value());
        CHECK(client.closed_within(5s));
        CHECK(server.handled().empty());
    }
}

TEST_CASE("[I6] C1, C3, C8: an unusual but unambiguous request is handled exactly once")
{
    row const table[] = {
        {"a request as its own body", post("Content-Length: " + std::to_string(smuggled.size()) + "\r\n", smuggled),
            200},
        {"a request in a chunk", post(chunked, "23\r\n" + smuggled + "\r\n0\r\n\r\n"), 200},
        {"a request in a trailer", post(chunked, "0\r\nX: GET /smuggled HTTP/1.1\r\n\r\n"), 200},
        {"C3 100 fields", fields(99), 200},
        {"C8 an upgrade that is not taken", post("Connection: Upgrade\r\nUpgrade: h2c\r\n", ""), 200},
        {"C9 an encoding of nothing", post("Content-Encoding: gzip\r\n", ""), 200},
    };
    counting_server server;
    for (auto const& [name, bytes, status] : table) {
        CAPTURE(name);
        raw_client client{server.port()};
        client.send(bytes + "GET /second HTTP/1.1\r\nHost: a\r\n\r\n");
        for (int i = 0; i < 2; ++i) {
            auto const answer = client.read_answer(5s);
            REQUIRE(answer);
            CHECK(answer->status == status);
        }
        CHECK(server.handled() == std::vector<std::string>{"/first", "/second"});
    }
}

TEST_CASE("[I6] C4, C11: only the exact path reaches a webhook, and no path the admin pages")
{
    auto& ingest = shared_ingest::get().ingest;
    for (std::string const target :
        {"/./webhooks/clerk", "/webhooks/./clerk", "/x/../webhooks/clerk", "/webhooks//clerk", "/webhooks%2fclerk",
            "/webhooks%5cclerk", "/%2e%2e/webhooks/clerk", "/webhooks/clerk%0d%0aX:y", "/webhooks/clerk%20",
            "http://127.0.0.1:9464/metrics", "https://a/webhooks/clerk", "*", "/metrics?x", "/v1", "/v1/auth",
            "/v1/auth/verify/", "/v1/auth/verify/../gateway", "//v1/auth/verify"}) {
        for (std::string const method : {"GET", "POST"}) {
            CAPTURE(target);
            CAPTURE(method);
            CHECK(ingest.call(method, target).status == 404);
        }
    }
    for (std::string const host : {"127.0.0.1:9464", "localhost", "admin.internal", "a"}) {
        CAPTURE(host);
        raw_client client{ingest.port()};
        client.send("GET /metrics HTTP/1.1\r\nHost: " + host + "\r\n\r\nGET /webhooks/clerk HTTP/1.1\r\nHost: " + host
            + "\r\n\r\n");
        CHECK(client.read_answer(5s)->status == 404);
        CHECK(client.read_answer(5s)->status == 405);
    }
}

}
