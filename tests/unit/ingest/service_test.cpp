#include "tests/support/ingest/running_ingest.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <unistd.h>

namespace clerk_strapi::tests
{

TEST_CASE("webhook: 200 when Kafka has it, on our path and on the legacy plugin's [I1]")
{
    auto& [kafka, ingest] = shared_ingest::get();
    for (std::string const path : {"/webhooks/clerk", "/api/clerk-auth/webhook", "/webhooks/clerk?source=clerk"}) {
        CAPTURE(path);
        auto const id = "msg_ok" + std::to_string(path.size());
        auto const body = user_event("user.created", "user_1");
        auto const answer = ingest.call("POST", path, signed_headers(id, body), body);
        CHECK(answer.status == 200);
        CHECK(answer.body == R"({"received":true})");
        CHECK(answer.headers.at("content-type") == "application/json");
        auto const stored = kafka.records_with_id(events, id);
        REQUIRE(stored.size() == 1);
        CHECK(stored[0].key == "user_1");
        CHECK(stored[0].value == body);
        CHECK(stored[0].headers.at("ce_type") == "clerk.user.created");
    }
}

TEST_CASE("A1-A9, A13: a rejected webhook has its status, problem and counter, and reaches no topic")
{
    auto& [kafka, ingest] = shared_ingest::get();
    std::string const body = user_event("user.created", "user_1");
    std::string const time = now_text();
    std::string const good = sign("msg_a", time, body);
    auto const with = [&](std::string const& id, std::string const& timestamp, std::string const& signature) {
        return header_list{{"svix-id", id}, {"svix-timestamp", timestamp}, {"svix-signature", signature}};
    };
    std::string items;
    for (int i = 0; i < 17; ++i)
        items += "v1,x ";
    struct
    {
        std::string name;
        header_list headers;
        std::string sent;
        int status;
        std::string problem, outcome;
    } const table[] = {
        {"A1 no headers", {}, body, 400, "missing_header", "malformed"},
        {"A1 blank id", with("  ", time, good), body, 400, "missing_header", "malformed"},
        {"A1 blank signature", with("msg_a", time, "\t"), body, 400, "missing_header", "malformed"},
        {"A2 other secret", with("msg_a", time, sign("msg_a", time, body, other_secret_text)), body, 401,
            "not_authentic", "unauthentic"},
        {"A2 truncated", with("msg_a", time, good.substr(0, 20)), body, 401, "not_authentic", "unauthentic"},
        {"A2 nothing after v1,", with("msg_a", time, "v1,"), body, 401, "not_authentic", "unauthentic"},
        {"A2 other version", with("msg_a", time, "v2" + good.substr(2)), body, 401, "not_authentic", "unauthentic"},
        {"A3 one byte changed", with("msg_a", time, good), body.substr(0, body.size() - 1) + " ", 401, "not_authentic",
            "unauthentic"},
        {"A3 space added", with("msg_a", time, good), body + " ", 401, "not_authentic", "unauthentic"},
        {"A4 other id", with("msg_b", time, good), body, 401, "not_authentic", "unauthentic"},
        {"A4 other time", with("msg_a", now_text(-1), good), body, 401, "not_authentic", "unauthentic"},
        {"A5 302 s old", signed_headers("msg_a", body, now_text(-302)), body, 401, "expired", "expired"},
        {"A5 310 s ahead", signed_headers("msg_a", body, now_text(310)), body, 401, "expired", "expired"},
        {"A6 milliseconds", signed_headers("msg_a", body, now_text() + "000"), body, 400, "malformed_header",
            "malformed"},
        {"A6 negative", signed_headers("msg_a", body, "-5"), body, 400, "malformed_header", "malformed"},
        {"A6 400 digits", signed_headers("msg_a", body, std::string(400, '1')), body, 400, "malformed_header",
            "malformed"},
        {"A6 leading zero, signed without", with("msg_a", "0" + time, good), body, 401, "not_authentic", "unauthentic"},
        {"A7 dot in the id", signed_headers("msg.a", body), body, 400, "malformed_header", "malformed"},
        {"A7 id of 200", signed_headers(std::string(200, 'a'), body), body, 400, "malformed_header", "malformed"},
        {"A7 not ASCII", signed_headers("msg_\xc3\xa9", body), body, 400, "malformed_header", "malformed"},
        {"A8 17 signatures", with("msg_a", time, items + good), body, 400, "malformed_header", "malformed"},
        {"A8 5 KiB of signatures", with("msg_a", time, std::string(5000, 'x')), body, 400, "malformed_header",
            "malformed"},
        {"A8 64 KiB header", with("msg_a", time, std::string(65536, 'x')), body, 431, "headers_too_large", ""},
        {"A9 id twice",
            {{"svix-id", "msg_a"}, {"svix-id", "msg_b"}, {"svix-timestamp", time}, {"svix-signature", good}}, body, 400,
            "ambiguous_header", "malformed"},
        {"A9 families differ",
            {{"svix-id", "msg_a"}, {"webhook-id", "msg_b"}, {"svix-timestamp", time}, {"svix-signature", good}}, body,
            400, "ambiguous_header", "malformed"},
        {"A13 v1a", with("msg_a", time, "v1a" + good.substr(2)), body, 401, "not_authentic", "unauthentic"},
    };
    auto const before = everything(kafka);
    for (auto const& row : table) {
        CAPTURE(row.name);
        auto const counted = row.outcome.empty() ? 0 : ingest.webhooks(row.outcome);
        auto const answer = ingest.call("POST", "/webhooks/clerk", row.headers, row.sent);
        CHECK(answer.status == row.status);
        CHECK(answer.problem() == row.problem);
        CHECK(answer.headers.at("content-type") == "application/problem+json");
        if (!row.outcome.empty()) CHECK(ingest.webhooks(row.outcome) == counted + 1);
    }
    CHECK(everything(kafka) == before);
    CHECK(
        ingest.call("POST", "/webhooks/clerk", {{"svix-id", "msg_a"}}, body).body.find("svix-timestamp, svix-signature")
        != std::string::npos);
}

TEST_CASE("A5, A10, A11: copies within the tolerance are accepted and all stored [I4]")
{
    auto& [kafka, ingest] = shared_ingest::get();
    auto const body = user_event("user.updated", "user_2");
    auto const headers = signed_headers("msg_copy", body, now_text(-298));
    CHECK(ingest.call("POST", "/webhooks/clerk", headers, body).status == 200);
    CHECK(ingest.call("POST", "/webhooks/clerk", headers, body).status == 200);
    CHECK(ingest.deliver("msg_copy", user_event("user.deleted", "user_2")).status == 200);
    CHECK(kafka.records_with_id(events, "msg_copy").size() == 3);
}

TEST_CASE("A14: a body over the limit is 413 before it is sent, and the client can read it")
{
    auto& [kafka, ingest] = shared_ingest::get();
    auto const before = ingest.webhooks("too_large");
    raw_client announced{ingest.port()};
    announced.send("POST /webhooks/clerk HTTP/1.1\r\nHost: a\r\nContent-Length: 786433\r\n\r\n");
    auto const answer = announced.read_answer(std::chrono::seconds{2});
    REQUIRE(answer);
    CHECK(answer->status == 413);
    CHECK(answer->problem() == "too_large");
    CHECK(answer->headers.at("connection") == "close");

    raw_client whole{ingest.port()}; // sends everything before it reads
    whole.send(request_text("POST", "/webhooks/clerk", {}, std::string(3'000'000, 'x')));
    auto const late = whole.read_answer();
    REQUIRE(late);
    CHECK(late->status == 413);

    raw_client endless{ingest.port()};
    endless.send("POST /webhooks/clerk HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    std::string const chunk = "10000\r\n" + std::string(65536, 'x') + "\r\n";
    for (int i = 0; i < 20; ++i)
        endless.send(chunk);
    auto const cut = endless.read_answer();
    REQUIRE(cut);
    CHECK(cut->status == 413);
    CHECK(ingest.webhooks("too_large") == before + 3);

    std::string const largest(786432, ' '); // authentic, at the limit, not JSON
    CHECK(ingest.deliver("msg_largest", largest).status == 200);
    CHECK(kafka.records_with_id(dead_letters, "msg_largest").size() == 1);
}

TEST_CASE("A15-A17: an authentic but unusable body is 200 and dead-lettered unchanged")
{
    auto& [kafka, ingest] = shared_ingest::get();
    std::pair<std::string, std::string> const table[] = {
        {"not_json", "\xef\xbb\xbf{}"},
        {"not_an_object", "[]"},
        {"too_deep", std::string(1000, '[')},
        {"duplicate_name", R"({"type":"user.created","type":"user.created","data":{"id":"user_1"}})"},
        {"no_data", R"({"type":"user.created","data":null})"},
    };
    for (auto const& [reason, body] : table) {
        CAPTURE(reason);
        auto const parked = ingest.webhooks("parked");
        auto const id = "msg_" + reason;
        CHECK(ingest.deliver(id, body).status == 200);
        auto const stored = kafka.records_with_id(dead_letters, id);
        REQUIRE(stored.size() == 1);
        CHECK(stored[0].value == body);
        CHECK_FALSE(stored[0].key.has_value());
        CHECK(stored[0].headers.at("dlq_reason") == reason);
        CHECK(stored[0].headers.at("dlq_topic") == "webhook");
        CHECK(ingest.webhooks("parked") == parked + 1);
    }
}

TEST_CASE("A16: other event types are 200 and not stored")
{
    auto& [kafka, ingest] = shared_ingest::get();
    auto const before = ingest.webhooks("ignored", "other");
    CHECK(ingest.deliver("msg_other", R"({"type":"session.created","data":{"id":"sess_1"},"x":{"unknown":[1]}})").status
        == 200);
    CHECK(kafka.records_with_id(events, "msg_other").empty());
    CHECK(kafka.records_with_id(dead_letters, "msg_other").empty());
    CHECK(ingest.webhooks("ignored", "other") == before + 1);
}

TEST_CASE("A20: other methods are 405 with Allow; any content type is accepted; no CORS")
{
    auto& [kafka, ingest] = shared_ingest::get();
    for (std::string const method : {"GET", "PUT", "HEAD", "OPTIONS", "TRACE", "DELETE", "PATCH"}) {
        CAPTURE(method);
        auto const answer = ingest.call(method, "/webhooks/clerk", {{"Origin", "https://example.com"}});
        CHECK(answer.status == 405);
        CHECK(answer.headers.at("allow") == "POST");
        CHECK_FALSE(answer.headers.contains("access-control-allow-origin"));
    }
    auto const body = user_event("user.created", "user_3");
    auto headers = signed_headers("msg_type", body);
    headers.emplace_back("Content-Type", "text/plain");
    CHECK(ingest.call("POST", "/webhooks/clerk", headers, body).status == 200);
}

TEST_CASE("A12: a rotated secret is read without a restart; an invalid file changes nothing")
{
    auto& kafka = shared_ingest::get().kafka;
    std::string pattern = "/tmp/ingest-secret-XXXXXX";
    int const file = ::mkstemp(pattern.data());
    auto const write = [&](std::string_view text) {
        REQUIRE(::ftruncate(file, 0) == 0);
        REQUIRE(::pwrite(file, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()));
    };
    write(secret_text);
    running_ingest ingest{kafka.brokers(), [&](ingest::config& settings) { settings.webhook_secrets_file = pattern; }};
    auto const body = user_event("user.created", "user_4");
    auto const deliver_with = [&](std::string_view secret) {
        return ingest.call("POST", "/webhooks/clerk", signed_headers("msg_rotate", body, now_text(), secret), body)
            .status;
    };
    CHECK(deliver_with(secret_text) == 200);
    CHECK(deliver_with(other_secret_text) == 401);
    write("whsec_half");
    write(std::string{other_secret_text} + "," + std::string{secret_text} + "\n");
    CHECK(eventually(std::chrono::seconds{5}, [&] { return deliver_with(other_secret_text) == 200; }));
    CHECK(deliver_with(secret_text) == 200);
    CHECK(ingest.metric("clerk_ingest_secret_used_total{slot=\"1\"}") == 1);
    ::unlink(pattern.c_str());
    ::close(file);
}

}
