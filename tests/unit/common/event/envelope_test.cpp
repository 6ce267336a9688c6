// The strict scan of a webhook body.

#include "common/event/envelope.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace clerk_strapi;

namespace
{

std::string user_body(std::string const& data)
{
    return R"({"type":"user.created","timestamp":1716883200000,"instance_id":"ins_1","data":)" + data + "}";
}

std::string nested(int levels)
{
    return std::string(static_cast<std::size_t>(levels), '[') + std::string(static_cast<std::size_t>(levels), ']');
}

}

TEST_CASE("envelope: accepts a body only when all parsers read it alike [A15 A16 A17]")
{
    struct
    {
        char const* name;
        std::string body;
        envelope_fault expected;
    } const table[] = {
        {"empty", "", envelope_fault::not_json},
        {"not JSON", "hello", envelope_fault::not_json},
        {"byte order mark", "\xEF\xBB\xBF{}", envelope_fault::not_json},
        {"trailing NUL", std::string{"{}\0", 3}, envelope_fault::not_json},
        {"text after the value", "{} {}", envelope_fault::not_json},
        {"single quotes", "{'type':'user.created'}", envelope_fault::not_json},
        {"trailing comma", R"({"type":"x",})", envelope_fault::not_json},
        {"leading zero", R"({"type":"x","n":01})", envelope_fault::not_json},
        {"NaN", R"({"type":"x","n":NaN})", envelope_fault::not_json},
        {"raw control character", "{\"type\":\"a\nb\"}", envelope_fault::not_json},
        {"overlong UTF-8", "{\"type\":\"\xC0\xAF\"}", envelope_fault::not_json},
        {"lone surrogate in UTF-8", "{\"type\":\"\xED\xA0\x80\"}", envelope_fault::not_json},
        {"lone surrogate escaped", R"({"type":"\ud800"})", envelope_fault::not_json},
        {"low surrogate first", R"({"type":"\udc00\ud800"})", envelope_fault::not_json},
        {"bad escape", R"({"type":"\x41"})", envelope_fault::not_json},
        {"bad UTF-8 in an unused member", "{\"type\":\"x\",\"data\":{\"deep\":[{\"k\":\"\xFF\"}]}}",
            envelope_fault::not_json},
        {"array at top", "[]", envelope_fault::not_an_object},
        {"number at top", "7", envelope_fault::not_an_object},
        {"null at top", "null", envelope_fault::not_an_object},
        {"deeper than 64", "[" + nested(64) + "]", envelope_fault::too_deep},
        {"too deep in an unused member", user_body(R"({"id":"user_1","x":)" + nested(70) + "}"),
            envelope_fault::too_deep},
        {"a million levels", nested(1'000'000), envelope_fault::too_deep},
        {"type twice", R"({"type":"user.created","type":"user.deleted"})", envelope_fault::duplicate_name},
        {"type twice, once escaped", R"({"type":"user.created","\u0074ype":"user.deleted"})",
            envelope_fault::duplicate_name},
        {"id twice", user_body(R"({"id":"user_1","id":"user_2"})"), envelope_fault::duplicate_name},
        {"a duplicate name in an unused member", user_body(R"({"id":"user_1","x":{"a":1,"b":2,"a":3}})"),
            envelope_fault::duplicate_name},
        {"no type", "{}", envelope_fault::no_type},
        {"type a number", R"({"type":7})", envelope_fault::no_type},
        {"no data", R"({"type":"user.created"})", envelope_fault::no_data},
        {"data null", user_body("null"), envelope_fault::no_data},
        {"data an array", user_body("[]"), envelope_fault::no_data},
        {"no id", user_body("{}"), envelope_fault::no_user_id},
        {"id null", user_body(R"({"id":null})"), envelope_fault::no_user_id},
        {"id an object", user_body(R"({"id":{"$ne":"x"}})"), envelope_fault::no_user_id},
        {"id empty", user_body(R"({"id":""})"), envelope_fault::bad_user_id},
        {"id of an organization", user_body(R"({"id":"org_1"})"), envelope_fault::bad_user_id},
        {"id with a quote", user_body(R"({"id":"user_'; drop"})"), envelope_fault::bad_user_id},
        {"id of 10 KiB", user_body(R"({"id":"user_)" + std::string(10'240, 'a') + R"("})"),
            envelope_fault::bad_user_id},
        {"timestamp a string", R"({"type":"user.created","timestamp":"now","data":{"id":"user_1"}})",
            envelope_fault::bad_timestamp},
        {"timestamp negative", R"({"type":"user.created","timestamp":-5,"data":{"id":"user_1"}})",
            envelope_fault::bad_timestamp},
        {"timestamp past 64 bits", R"({"type":"user.created","timestamp":99999999999999999999,"data":{"id":"user_1"}})",
            envelope_fault::bad_timestamp},
        {"instance with a line end", R"({"type":"user.created","instance_id":"a\nb","data":{"id":"user_1"}})",
            envelope_fault::bad_instance_id},
    };
    for (auto const& row : table) {
        CAPTURE(row.name);
        auto const found = scan_envelope(row.body);
        REQUIRE_FALSE(found.has_value());
        CHECK(to_string(found.error()) == to_string(row.expected));
    }
}

TEST_CASE("envelope: returns type, user, instance and time in milliseconds")
{
    auto const found = scan_envelope(
        R"( {"data":{"nested":{"id":"user_decoy"},"id":"user_2abc"},"object":"event","timestamp":1716883200,"instance_id":"ins_1","type":"user.\u0075pdated","event_attributes":{"http_request":{"client_ip":""}}} )");
    REQUIRE(found.has_value());
    CHECK(found->kind == event_kind::updated);
    CHECK(found->user_id == "user_2abc");
    CHECK(found->instance_id == "ins_1");
    CHECK(found->timestamp_ms == 1'716'883'200'000);
}

TEST_CASE("envelope: accepts other types without reading their data")
{
    for (auto const* const body : {R"({"type":"session.created","data":null})", R"({"type":"email.created"})",
             R"({"type":"no.such.type","timestamp":"x","data":[1e400]})"}) {
        CAPTURE(body);
        auto const found = scan_envelope(body);
        REQUIRE(found.has_value());
        CHECK(found->kind == event_kind::other);
    }
}

TEST_CASE("envelope: never rejects a deletion for its time")
{
    auto const found = scan_envelope(R"({"type":"user.deleted","timestamp":-5,"data":{"id":"user_1","deleted":true}})");
    REQUIRE(found.has_value());
    CHECK_FALSE(found->timestamp_ms.has_value());
}
