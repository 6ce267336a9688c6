#include "common/http/request_reader.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <string>

namespace clerk_strapi::http
{
namespace
{

constexpr std::size_t body_max = 1000;

struct reading
{
    request_reader::progress progress{request_reader::progress::need_more};
    std::optional<fault> why;
    std::string method, target, body;
};

// Passes `bytes` to the reader in pieces until it returns a result.
reading read(std::string_view bytes, std::size_t piece = 1 << 20)
{
    request_reader reader{head_limits{}, body_max};
    reading seen;
    while (!bytes.empty()) {
        auto const space = reader.space();
        auto const taken = std::min({space.size(), bytes.size(), piece});
        std::memcpy(space.data(), bytes.data(), taken);
        reader.received(taken);
        bytes.remove_prefix(taken);
        seen.progress = reader.advance();
        if (seen.progress == request_reader::progress::failed) {
            seen.why = reader.reason();
            return seen;
        }
        if (seen.progress == request_reader::progress::complete) break;
    }
    auto const request = reader.request();
    seen.method = request.method;
    seen.target = request.target;
    seen.body = request.body;
    return seen;
}

std::string post(std::string const& headers, std::string const& body)
{
    return "POST /x HTTP/1.1\r\nHost: a\r\n" + headers + "\r\n" + body;
}

}

TEST_CASE("http parser: rejects a message that can be read in two ways, in any pieces (C1)")
{
    struct
    {
        std::string name;
        std::string bytes;
    } const table[] = {
        {"length and chunked", post("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", "abc")},
        {"chunked and length", post("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", "0\r\n\r\n")},
        {"two lengths", post("Content-Length: 3\r\nContent-Length: 4\r\n", "abcd")},
        {"the same length twice", post("Content-Length: 3\r\nContent-Length: 3\r\n", "abc")},
        {"a list of lengths", post("Content-Length: 3, 3\r\n", "abc")},
        {"signed length", post("Content-Length: +3\r\n", "abc")},
        {"negative length", post("Content-Length: -3\r\n", "abc")},
        {"empty length", post("Content-Length: \r\n", "abc")},
        {"absurd length", post("Content-Length: 99999999999999999999\r\n", "abc")},
        {"unknown coding", post("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n")},
        {"two codings", post("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n")},
        {"chunked twice", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")},
        {"identity coding", post("Transfer-Encoding: identity\r\n", "abc")},
        {"chunk size -2", post("Transfer-Encoding: chunked\r\n", "-2\r\nab\r\n0\r\n\r\n")},
        {"chunk size ffffffffffffffff", post("Transfer-Encoding: chunked\r\n", "ffffffffffffffff\r\nab\r\n0\r\n\r\n")},
        {"chunk size past 64 bits", post("Transfer-Encoding: chunked\r\n", "1ffffffffffffffff\r\nab\r\n0\r\n\r\n")},
        {"chunk size in words", post("Transfer-Encoding: chunked\r\n", "two\r\nab\r\n0\r\n\r\n")},
        {"chunk without its end", post("Transfer-Encoding: chunked\r\n", "2\r\nabcd\r\n0\r\n\r\n")},
        {"bare LF everywhere", "POST /x HTTP/1.1\nHost: a\nContent-Length: 0\n\n"},
        {"bare LF in one line", "POST /x HTTP/1.1\r\nHost: a\nContent-Length: 0\r\n\r\n"},
        {"bare CR in a value", "POST /x HTTP/1.1\r\nHost: a\rb\r\n\r\n"},
        {"folded line", "POST /x HTTP/1.1\r\nHost: a\r\n b\r\n\r\n"},
        {"space before the colon", "POST /x HTTP/1.1\r\nHost : a\r\n\r\n"},
        {"no colon", "POST /x HTTP/1.1\r\nHost: a\r\nnonsense\r\n\r\n"},
        {"NUL in a value", std::string("POST /x HTTP/1.1\r\nHost: a\0b\r\n\r\n", 31)},
        {"no host", "POST /x HTTP/1.1\r\n\r\n"},
        {"two hosts", "POST /x HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"},
        {"chunked in HTTP/1.0", "POST /x HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
        {"C8 HTTP/0.9", "GET /\r\n"},
        {"C8 HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"},
        {"C8 HTTP/1.2", "GET / HTTP/1.2\r\nHost: a\r\n\r\n"},
        {"C8 TLS", std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11)},
        {"space in the target", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n"},
        {"nothing but an empty line", "\r\n"},
    };
    for (auto const& row : table) {
        for (std::size_t const piece : {std::size_t{1}, std::size_t{7}, std::size_t{4096}}) {
            CAPTURE(row.name);
            CAPTURE(piece);
            auto const seen = read(row.bytes, piece);
            REQUIRE(seen.why.has_value());
            CHECK(*seen.why == fault::bad_request);
        }
    }
}

TEST_CASE("http parser: reads bodies by length and by chunks, in pieces of any size")
{
    std::string const body(900, 'b');
    std::string chunked;
    for (std::size_t i = 0; i < body.size(); i += 100)
        chunked += "64;ext=1\r\n" + body.substr(i, 100) + "\r\n";
    chunked += "0\r\nTrailer: ignored\r\n\r\n";
    for (std::size_t const piece : {std::size_t{1}, std::size_t{3}, std::size_t{64}, std::size_t{4096}}) {
        CAPTURE(piece);
        auto const by_length = read(post("Content-Length: 900\r\n", body), piece);
        CHECK(by_length.progress == request_reader::progress::complete);
        CHECK(by_length.body == body);
        CHECK(by_length.target == "/x");
        auto const by_chunks = read(post("Transfer-Encoding: chunked\r\n", chunked), piece);
        CHECK(by_chunks.progress == request_reader::progress::complete);
        CHECK(by_chunks.body == body);
    }
    CHECK(read(post("", "")).progress == request_reader::progress::complete);
}

TEST_CASE("http parser: reads an empty chunked body byte by byte (C2) [I6]")
{
    // In a build with assertions, an assertion of Beast ended the program here.
    for (std::size_t const piece : {std::size_t{1}, std::size_t{2}, std::size_t{3}}) {
        CAPTURE(piece);
        auto const empty = read(post("Transfer-Encoding: chunked\r\n", "0\r\n\r\n"), piece);
        CHECK(empty.progress == request_reader::progress::complete);
        CHECK(empty.body.empty());
    }
}

TEST_CASE("http parser: rejects a body over the limit, announced or not (A14)")
{
    CHECK(read(post("Content-Length: 1001\r\n", "")).why == fault::too_large);
    CHECK(read(post("Transfer-Encoding: chunked\r\n", "3e9\r\n")).why == fault::too_large);
    std::string endless;
    for (int i = 0; i < 20; ++i)
        endless += "64\r\n" + std::string(100, 'x') + "\r\n";
    CHECK(read(post("Transfer-Encoding: chunked\r\n", endless), 64).why == fault::too_large);
    CHECK(
        read(post("Content-Length: 1000\r\n", std::string(1000, 'x'))).progress == request_reader::progress::complete);
}

TEST_CASE("http parser: limits the header block, the fields and the target (C3)")
{
    CHECK(read("GET /x HTTP/1.1\r\nHost: a\r\nX: " + std::string(17 * 1024, 'x')).why == fault::headers_too_large);
    std::string many;
    for (int i = 0; i < 1000; ++i)
        many += "X: y\r\n";
    CHECK(read(post(many, "")).why == fault::headers_too_large);
    CHECK(read("GET /" + std::string(4096, 'x') + " HTTP/1.1\r\nHost: a\r\n\r\n").why == fault::uri_too_long);
    CHECK(read("GET /" + std::string(20000, 'x')).why == fault::uri_too_long);
    CHECK(read("GET /" + std::string(4000, 'x') + " HTTP/1.1\r\nHost: a\r\nX: " + std::string(12000, 'x') + "\r\n\r\n")
              .progress
        == request_reader::progress::complete);
}

TEST_CASE("http parser: handles expectations, encodings and CONNECT (C8, C9)")
{
    CHECK(read(post("Expect: 100-continue\r\nContent-Length: 3\r\n", "")).progress
        == request_reader::progress::wants_continue);
    CHECK(read(post("Expect: 100-continue\r\nContent-Length: 3\r\n", "abc")).progress
        == request_reader::progress::complete);
    CHECK(read(post("Expect: tea\r\nContent-Length: 3\r\n", "")).why == fault::expectation_failed);
    CHECK(read(post("Content-Encoding: gzip\r\nContent-Length: 3\r\n", "")).why == fault::unsupported_encoding);
    CHECK(read(post("Content-Encoding: identity\r\nContent-Length: 3\r\n", "abc")).progress
        == request_reader::progress::complete);
    CHECK(read("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n").why == fault::not_implemented);
    CHECK(read(post("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\n", "")).progress
        == request_reader::progress::complete); // not requested: answered as HTTP/1.1
}

TEST_CASE("http parser: returns pipelined requests one after the other (C7)")
{
    request_reader reader{head_limits{}, body_max};
    std::string const one = post("Content-Length: 2\r\n", "ab");
    std::string const all = one + one + "GET /y HTTP/1.1\r\nHost: a\r\n\r\n";
    auto const space = reader.space();
    REQUIRE(space.size() >= all.size());
    std::memcpy(space.data(), all.data(), all.size());
    reader.received(all.size());
    for (auto const* target : {"/x", "/x", "/y"}) {
        REQUIRE(reader.advance() == request_reader::progress::complete);
        CHECK(reader.request().target == target);
        CHECK(reader.keep_alive());
        reader.next();
    }
    CHECK(reader.idle());
}

}
