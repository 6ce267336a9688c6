// More webhook inputs of the catalogue, as in webhook_inputs_test.cpp: authentic webhooks with an unusable body, of
// another instance, without an end, or with another content type.

#include "tests/support/ingest/running_ingest.hpp"

#include <doctest/doctest.h>

namespace clerk_strapi::tests
{

TEST_CASE("A14: endless chunks are 413 at the limit, and the connection is closed")
{
    auto& [kafka, ingest] = shared_ingest::get();
    auto const before = everything(kafka);
    auto const counted = ingest.webhooks("too_large");
    raw_client endless{ingest.port()};
    endless.send("POST /webhooks/clerk HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    std::string const chunk = "10000\r\n" + std::string(65'536, 'x') + "\r\n";
    for (int i = 0; i < 13; ++i)
        endless.send(chunk); // 12 chunks reach the limit, the 13th exceeds it; the last chunk is never sent
    auto const answer = endless.read_answer();
    REQUIRE(answer);
    CHECK(answer->status == 413);
    CHECK(answer->problem() == "too_large");
    CHECK(answer->headers.at("connection") == "close");
    CHECK(endless.closed_within(std::chrono::seconds{15}));
    CHECK(ingest.webhooks("too_large") == counted + 1);
    CHECK(everything(kafka) == before);
}

TEST_CASE("A15, A16, A17: an authentic but ambiguous or unusable body is 200 and a dead letter")
{
    auto& [kafka, ingest] = shared_ingest::get();
    auto const good = user_event("user.created", "user_1");
    auto const nested = [](std::size_t levels) {
        return R"({"type":"user.created","data":{"id":"user_1","x":)" + std::string(levels, '[')
            + std::string(levels, ']') + "}}";
    };
    std::pair<std::string, std::string> const table[] = {
        {"not_json", "hello"},
        {"not_json", ""},
        {"not_json", "\xef\xbb\xbf" + good},
        {"not_json", good + std::string(1, '\0')},
        {"not_json", good + "\nx"},
        {"not_an_object", "[" + good + "]"},
        {"not_an_object", "1"},
        {"not_an_object", "null"},
        {"too_deep", nested(63)}, // the object and its data are two
        {"too_deep", std::string(700'000, '[')},
        {"no_data", R"({"type":"user.updated"})"},
        {"no_data", R"({"type":"user.updated","data":null})"},
        {"duplicate_name", R"({"type":"user.created","type":"user.deleted","data":{"id":"user_1"}})"},
        {"duplicate_name", R"({"type":"user.created","data":{"id":"user_1","id":"user_2"}})"},
        {"duplicate_name", R"({"type":"user.created","data":{"id":"user_1","\u0069d":"user_2"}})"},
    };
    std::size_t number = 0;
    for (auto const& [reason, body] : table) {
        auto const id = "msg_unusable" + std::to_string(++number);
        CAPTURE(id);
        CAPTURE(reason);
        auto const parked = ingest.webhooks("parked");
        auto const answer = ingest.deliver(id, body);
        CHECK(answer.status == 200);
        CHECK(kafka.records_with_id(events, id).empty());
        auto const stored = kafka.records_with_id(dead_letters, id);
        REQUIRE(stored.size() == 1);
        CHECK(stored[0].value == body);
        CHECK(stored[0].headers.at("dlq_reason") == reason);
        CHECK(ingest.webhooks("parked") == parked + 1);
    }
    CHECK(ingest.deliver("msg_deepest", nested(62)).status == 200);
    CHECK(kafka.records_with_id(events, "msg_deepest").size() == 1);
}

TEST_CASE("A16: unknown fields are published unchanged; unknown types are only counted")
{
    auto& [kafka, ingest] = shared_ingest::get();
    std::string const body = R"({"new":[{}],"type":"user.updated","data":{"id":"user_1","later":{"x":null}}})";
    CHECK(ingest.deliver("msg_fields", body).status == 200);
    auto const stored = kafka.records_with_id(events, "msg_fields");
    REQUIRE(stored.size() == 1);
    CHECK(stored[0].value == body);

    auto const before = everything(kafka);
    auto const counted = ingest.webhooks("ignored", "other");
    for (std::string const type : {"user.renamed", "User.created", "user.created ", "organization.created"})
        CHECK(ingest.deliver("msg_type", R"({"type":")" + type + R"(","data":{"id":"user_1"}})").status == 200);
    CHECK(everything(kafka) == before);
    CHECK(ingest.webhooks("ignored", "other") == counted + 4);
}

TEST_CASE("A18: an event of an unlisted instance is 200 and dead-lettered, never published")
{
    auto& kafka = shared_ingest::get().kafka;
    running_ingest ingest{kafka.brokers(), [](ingest::config& settings) { settings.instance_ids = {"ins_1"}; }};
    auto const body = user_event("user.created", "user_1", "ins_9");
    CHECK(ingest.deliver("msg_a18", body).status == 200);
    CHECK(kafka.records_with_id(events, "msg_a18").empty());
    auto const stored = kafka.records_with_id(dead_letters, "msg_a18");
    REQUIRE(stored.size() == 1);
    CHECK(stored[0].headers.at("dlq_reason") == "foreign_instance");
    CHECK(stored[0].value == body);
    CHECK(ingest.webhooks("parked", "user.created") == 1);
    CHECK(ingest.deliver("msg_a18_ours", user_event("user.created", "user_1")).status == 200);
    CHECK(kafka.records_with_id(events, "msg_a18_ours").size() == 1);
}

TEST_CASE("A20: any content type is accepted, and no response allows cross-origin reads")
{
    auto& [kafka, ingest] = shared_ingest::get();
    auto const before = everything(kafka);
    auto const body = user_event("user.created", "user_1");
    std::size_t sent = 0;
    for (std::string const type : {"", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "x"}) {
        CAPTURE(type);
        auto headers = signed_headers("msg_a20_" + std::to_string(++sent), body);
        if (!type.empty()) headers.emplace_back("Content-Type", type);
        headers.emplace_back("Origin", "https://example.com");
        auto const answer = ingest.call("POST", webhook_path, headers, body);
        CHECK(answer.status == 200);
        for (auto const& [name, value] : answer.headers)
            CHECK_FALSE(name.starts_with("access-control-"));
    }
    CHECK(everything(kafka) == before + sent);
    for (std::string const method : {"GET", "PUT", "OPTIONS", "TRACE"}) {
        auto const answer = ingest.call(method, webhook_path, signed_headers("msg_a20", body), body);
        CHECK(answer.status == 405);
        CHECK(answer.problem() == "method_not_allowed");
        for (auto const& [name, value] : answer.headers)
            CHECK_FALSE(name.starts_with("access-control-"));
    }
    CHECK(everything(kafka) == before + sent);
}

}
