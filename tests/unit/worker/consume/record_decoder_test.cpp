// Which records can never be applied, and their dead-letter reasons (rows D1 to D5 and D9 of the catalogue of bad
// inputs in tests/README.md).

#include "common/event/cloud_event.hpp"
#include "worker/consume/record_decoder.hpp"
#include "worker/consume/record_trail.hpp"

#include <doctest/doctest.h>

#include <functional>

using namespace clerk_strapi;
using namespace clerk_strapi::worker;

namespace
{

// A valid record that owns its parts. Each case spoils one.
struct record_parts
{
    std::optional<std::string> key{"user_1"};
    std::optional<std::string> value{
        R"({"type":"user.updated","timestamp":1750000000500,"instance_id":"ins_1","data":{"id":"user_1","updated_at":1750000000000,"created_at":1740000000000,"email_addresses":[]}})"};
    std::optional<std::int64_t> timestamp{1'750'000'001'000};
    std::vector<std::pair<std::string, std::optional<std::string>>> headers{{"ce_specversion", "1.0"},
        {"ce_id", "msg_1"}, {"ce_type", "clerk.user.updated"}, {"ce_source", "/clerk/ins_1"}, {"ce_subject", "user_1"},
        {"ce_dataschema", "urn:clerk-strapi-sync:user-event:1"}, {"content-type", "application/json"},
        {"traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}};

    std::optional<std::string>& header(std::string_view name)
    {
        for (auto& [known, text] : headers) {
            if (known == name) return text;
        }
        return headers.emplace_back(name, std::nullopt).second;
    }
    void drop(std::string_view name)
    {
        std::erase_if(headers, [&](auto const& header) { return header.first == name; });
    }
};

result<user_event, dead_letter_cause> decode(record_parts const& parts, std::vector<std::string> const& instances = {})
{
    std::vector<record_header> headers;
    for (auto const& [name, text] : parts.headers)
        headers.push_back({name, text ? std::optional<std::string_view>{*text} : std::nullopt});
    record_view view;
    if (parts.key) view.key = *parts.key;
    if (parts.value) view.value = *parts.value;
    view.timestamp_ms = parts.timestamp;
    view.headers = headers;
    return decode_record(view, {instances, ""});
}

std::string body(
    std::string const& data, std::string const& type = "user.updated", std::string const& timestamp = "1750000000500")
{
    return R"({"type":")" + type + R"(","timestamp":)" + timestamp + R"(,"instance_id":"ins_1","data":)" + data + "}";
}

}

TEST_CASE("decoder: each unusable record has one dead-letter reason [D1 D2 D3 D4 D5 D9]")
{
    struct
    {
        char const* name;
        std::function<void(record_parts&)> spoil;
        char const* reason;
    } const table[] = {
        {"D1 null value", [](auto& r) { r.value.reset(); }, "no_value"},
        {"D1 empty value", [](auto& r) { r.value = ""; }, "no_value"},
        {"D1 no key", [](auto& r) { r.key.reset(); }, "no_key"},
        {"D1 empty key", [](auto& r) { r.key = ""; }, "no_key"},
        {"D1 key of another user",
            [](auto& r) {
                r.key = "user_2";
                r.header("ce_subject") = "user_2";
            },
            "contradictory"},
        {"D1 subject of another user", [](auto& r) { r.header("ce_subject") = "user_2"; }, "contradictory"},
        {"D2 not JSON", [](auto& r) { r.value = "hello"; }, "not_json"},
        {"D2 truncated", [](auto& r) { r.value->pop_back(); }, "not_json"},
        {"D2 a megabyte of [", [](auto& r) { r.value = std::string(1'000'000, '['); }, "too_deep"},
        {"D2 duplicate id", [](auto& r) { r.value = body(R"({"id":"user_1","id":"user_1"})"); }, "duplicate_name"},
        {"D2 wrong content type", [](auto& r) { r.header("content-type") = "text/plain"; }, "unsupported_version"},
        {"D2 lines of JSON", [](auto& r) { r.header("content-type") = "application/jsonl"; }, "unsupported_version"},
        {"D2 structured mode", [](auto& r) { r.header("content-type") = "application/cloudevents+json"; },
            "unsupported_version"},
        {"D3 no id", [](auto& r) { r.drop("ce_id"); }, "bad_headers"},
        {"D3 no type", [](auto& r) { r.drop("ce_type"); }, "bad_headers"},
        {"D3 no specversion", [](auto& r) { r.drop("ce_specversion"); }, "bad_headers"},
        {"D3 id twice", [](auto& r) { r.headers.emplace_back("ce_id", "msg_2"); }, "bad_headers"},
        {"D3 id null", [](auto& r) { r.header("ce_id").reset(); }, "bad_headers"},
        {"D3 id oversized", [](auto& r) { r.header("ce_id") = std::string(5'000, 'a'); }, "bad_headers"},
        {"D3 id not UTF-8", [](auto& r) { r.header("ce_id") = "\xFF\xFE"; }, "bad_headers"},
        {"D3 too many",
            [](auto& r) {
                for (auto i = 0; i < 70; ++i)
                    r.headers.emplace_back("x", "y");
            },
            "bad_headers"},
        {"D3 unknown type", [](auto& r) { r.header("ce_type") = "clerk.session.created"; }, "unknown_type"},
        {"D3 type without its prefix", [](auto& r) { r.header("ce_type") = "user.updated"; }, "unknown_type"},
        {"D3 specversion 2.0", [](auto& r) { r.header("ce_specversion") = "2.0"; }, "unsupported_version"},
        {"D3 type is not the body's", [](auto& r) { r.header("ce_type") = "clerk.user.deleted"; }, "contradictory"},
        {"D4 a newer schema", [](auto& r) { r.header("ce_dataschema") = "urn:clerk-strapi-sync:user-event:2"; },
            "unsupported_version"},
        {"D4 a deletion of a newer schema",
            [](auto& r) {
                r.header("ce_type") = "clerk.user.deleted";
                r.header("ce_dataschema") = "urn:clerk-strapi-sync:user-event:10";
                r.value = body(R"({"id":"user_1","deleted":true})", "user.deleted");
            },
            "unsupported_version"},
        {"D5 deletion without an id",
            [](auto& r) {
                r.header("ce_type") = "clerk.user.deleted";
                r.value = body(R"({"deleted":true})", "user.deleted");
            },
            "no_user_id"},
        {"D5 deletion of an organization",
            [](auto& r) {
                r.header("ce_type") = "clerk.user.deleted";
                r.value = body(R"({"id":"org_1"})", "user.deleted");
            },
            "bad_user_id"},
        {"D5 id of 10 KiB", [](auto& r) { r.value = body(R"({"id":"user_)" + std::string(10'240, 'a') + "\"}"); },
            "bad_user_id"},
        {"D9 year 1970", [](auto& r) { r.value = body(R"({"id":"user_1","updated_at":86400000})"); }, "bad_time"},
        {"D9 negative", [](auto& r) { r.value = body(R"({"id":"user_1","updated_at":-1750000000000})"); }, "bad_time"},
        {"D9 year 9999", [](auto& r) { r.value = body(R"({"id":"user_1","updated_at":253370764800000})"); },
            "version_in_future"},
        {"D9 an hour and a second ahead",
            [](auto& r) { r.value = body(R"({"id":"user_1","updated_at":1750003602000})"); }, "version_in_future"},
        {"D9 a created_at of the year 10000",
            [](auto& r) {
                r.value = body(R"({"id":"user_1","updated_at":1750000000000,"created_at":253402300800000})");
            },
            "bad_time"},
        {"D9 a negative time of the event",
            [](auto& r) { r.value = body(R"({"id":"user_1","updated_at":1750000000000})", "user.updated", "-1"); },
            "bad_timestamp"},
        {"D9 the event's own time ahead",
            [](auto& r) {
                r.value = body(R"({"id":"user_1","updated_at":1750000000000})", "user.updated", "1750003602000");
            },
            "version_in_future"},
        {"no time at all", [](auto& r) { r.value = R"({"type":"user.updated","data":{"id":"user_1"}})"; }, "bad_time"},
        {"updated_at a string", [](auto& r) { r.value = body(R"({"id":"user_1","updated_at":"now"})"); }, "bad_field"},
        {"E11 updated_at 1e300", [](auto& r) { r.value = body(R"({"id":"user_1","updated_at":1e300})"); }, "bad_field"},
        {"E11 updated_at 1e400", [](auto& r) { r.value = body(R"({"id":"user_1","updated_at":1e400})"); }, "bad_field"},
        {"E11 updated_at beyond 64 bits",
            [](auto& r) { r.value = body(R"({"id":"user_1","updated_at":9223372036854775808})"); }, "bad_field"},
        {"E11 the largest updated_at",
            [](auto& r) { r.value = body(R"({"id":"user_1","updated_at":9223372036854775807})"); }, "bad_time"},
        {"E11 the smallest updated_at",
            [](auto& r) { r.value = body(R"({"id":"user_1","updated_at":-9223372036854775808})"); }, "bad_time"},
        {"username a number",
            [](auto& r) { r.value = body(R"({"id":"user_1","updated_at":1750000000000,"username":7})"); }, "bad_field"},
        {"banned a string",
            [](auto& r) { r.value = body(R"({"id":"user_1","updated_at":1750000000000,"banned":"yes"})"); },
            "bad_field"},
        {"E2 lone surrogate",
            [](auto& r) { r.value = body(R"({"id":"user_1","updated_at":1750000000000,"first_name":"\ud800"})"); },
            "not_json"},
    };
    for (auto const& row : table) {
        CAPTURE(row.name);
        record_parts parts;
        row.spoil(parts);
        auto const event = decode(parts);
        REQUIRE_FALSE(event.has_value());
        CHECK(event.error().name() == row.reason);
    }
}

TEST_CASE("decoder: requires each CloudEvents header once, printable, at most 1 KiB [D3]")
{
    record_parts parts;
    for (auto const* const name :
        {"ce_specversion", "ce_id", "ce_type", "ce_source", "ce_subject", "ce_dataschema", "content-type"}) {
        CAPTURE(name);
        auto const reason_with = [&](std::function<void(record_parts&)> const& spoil) {
            record_parts spoilt;
            spoil(spoilt);
            auto const event = decode(spoilt);
            return event ? std::string{"applied"} : std::string{event.error().name()};
        };
        auto const reason_of = [&](std::optional<std::string> const& value) {
            return reason_with([&](auto& r) { r.header(name) = value; });
        };
        CHECK(reason_of(std::nullopt) == "bad_headers");
        CHECK(reason_of("") == "bad_headers");
        CHECK(reason_of(std::string(1025, 'a')) == "bad_headers");
        CHECK(reason_of(std::string(10'000'000, 'a')) == "bad_headers");
        for (auto const* const odd : {"\xFF", "\xC0\x80", "é", "a\nb", "a\tb", "\x7F"})
            CHECK(reason_of(*parts.header(name) + odd) == "bad_headers");
        CHECK(reason_of(*parts.header(name) + std::string(1, '\0')) == "bad_headers");
        auto const twice = [&](record_parts& r) { r.headers.emplace_back(name, *parts.header(name)); };
        CHECK(reason_with(twice) == "bad_headers");
    }
    parts.header("ce_id") = std::string(1024, 'a');
    while (parts.headers.size() < 64)
        parts.headers.emplace_back("odd \xFF", "\xFF"); // unknown headers are ignored
    CHECK(decode(parts).has_value());
    parts.headers.emplace_back("x", "y");
    CHECK(decode(parts).error().name() == "bad_headers");
}

TEST_CASE("decoder: a valid record becomes an event with its version")
{
    auto const event = decode({});
    REQUIRE(event.has_value());
    CHECK(event->kind == event_kind::updated);
    CHECK(event->clerk_id == "user_1");
    CHECK(event->version.updated_at_ms == 1'750'000'000'000);
    CHECK(event->version.event_ms == 1'750'000'000'500);
    CHECK(event->version.event_id == "msg_1");
    CHECK(event->version.body_hash == sha256(*record_parts{}.value));
    CHECK(event->desired.created_at_ms == 1'740'000'000'000);
}

TEST_CASE("decoder: the event names the fields where U+0000 was replaced [E1]")
{
    record_parts parts;
    parts.value = body(R"({"id":"user_1","updated_at":1750000000000,"username":"a\u0000b"})");
    auto const event = decode(parts);
    REQUIRE(event.has_value());
    CHECK(event->replaced == std::vector{mapped_field::username});
    CHECK(decode({})->replaced.empty());
}

TEST_CASE("decoder: converts seconds to milliseconds [D9]")
{
    record_parts parts;
    parts.value =
        body(R"({"id":"user_1","updated_at":1750000000,"created_at":1740000000})", "user.updated", "1750000001");
    auto const event = decode(parts);
    REQUIRE(event.has_value());
    CHECK(event->version.updated_at_ms == 1'750'000'000'000);
    CHECK(event->version.event_ms == 1'750'000'001'000);
    CHECK(event->desired.created_at_ms == 1'740'000'000'000);
}

TEST_CASE("decoder: accepts a version at most one hour after the record's timestamp [D9]")
{
    record_parts parts;
    parts.value = body(R"({"id":"user_1","updated_at":1750003601000})", "user.updated", "1750003601000");
    CHECK(decode(parts).has_value());
    parts.value = body(R"({"id":"user_1","updated_at":1750003601001})");
    CHECK(decode(parts).error().name() == "version_in_future");
}

TEST_CASE("decoder: never rejects a deletion because of its time [D9 I3]")
{
    for (auto const* const timestamp : {"-1", "253370764800000", "5"}) {
        CAPTURE(timestamp);
        record_parts parts;
        parts.header("ce_type") = "clerk.user.deleted";
        parts.value = body(R"({"id":"user_1","deleted":true})", "user.deleted", timestamp);
        REQUIRE(decode(parts).has_value());
    }
}

TEST_CASE("decoder: accepts an allowed instance, dead-letters any other [A18]")
{
    CHECK(decode({}, {"ins_0", "ins_1"}).has_value());
    auto const foreign = decode({}, {"ins_2"});
    REQUIRE_FALSE(foreign.has_value());
    CHECK(foreign.error().name() == "foreign_instance");
}

TEST_CASE("decoder: ignores numbers and members that are not mapped [E8 E11]")
{
    record_parts parts;
    parts.value = body(
        R"({"id":"user_1","updated_at":1750000000000,"public_metadata":{"role":"admin","__proto__":{"x":1},"n":1e400,"m":12345678901234567890123}})");
    CHECK(decode(parts).has_value());
}

TEST_CASE("decoder: a snapshot's version excludes its id; provisioning is older than any event")
{
    record_parts parts;
    parts.header("ce_type") = "clerk.user.snapshot";
    parts.value = body(R"({"id":"user_1","updated_at":1750000000000})", "user.snapshot");
    auto const snapshot = decode(parts);
    REQUIRE(snapshot.has_value());
    CHECK(snapshot->version.event_id.empty());
    parts.header("ce_type") = "clerk.user.seen";
    parts.value = body(R"({"id":"user_1"})", "user.seen");
    auto const first_sight = decode(parts);
    REQUIRE(first_sight.has_value());
    CHECK(first_sight->version == event_version{});
}

TEST_CASE("record trail: logs only values that have the form of an id [I6]")
{
    auto const trail = [](record_parts const& parts) {
        std::vector<record_header> headers;
        for (auto const& [name, value] : parts.headers)
            headers.push_back({name, value});
        auto const found = trail_of({parts.key, parts.value, parts.timestamp, headers});
        return std::vector<std::string>{
            std::string{found.event_id}, std::string{found.clerk_id}, std::string{found.trace_id}};
    };
    record_parts parts;
    CHECK(trail(parts) == std::vector<std::string>{"msg_1", "user_1", "0af7651916cd43dd8448eb211c80319c"});
    parts.key = "ada@example.com";
    parts.header("ce_id") = "ada@example.com";
    parts.header("traceparent") = "ada@example.com";
    CHECK(trail(parts) == std::vector<std::string>{"", "", ""});
    parts.key = std::nullopt;
    parts.header("ce_id") = std::string(129, 'x');
    parts.header("traceparent") = std::nullopt;
    CHECK(trail(parts) == std::vector<std::string>{"", "", ""});
}
