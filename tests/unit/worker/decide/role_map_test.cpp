// ROLE_MAP: its format, its result, and the parts of Clerk's metadata that it reads.

#include "common/event/clerk_user.hpp"
#include "worker/decide/role_map.hpp"

#include <doctest/doctest.h>

using namespace clerk_strapi;
using namespace clerk_strapi::worker;

TEST_CASE("role map: decides by precedence, and assigns only allowed roles [E8]")
{
    auto const map = parse_role_map(
        R"({"from":"role","map":{"admin":"editor","staff":"author","aide":"author"},"precedence":["staff","admin"],)"
        R"("default":"authenticated","allowed":["authenticated","author","editor"]})");
    REQUIRE(map.has_value());
    CHECK(map->metadata_key == "role");
    CHECK(map->answer({}) == "authenticated");
    CHECK(map->answer({"Admin"}) == "authenticated");
    CHECK(map->answer({"editor"}) == "authenticated"); // a role's own name is no value of the map
    CHECK(map->answer({"admin"}) == "editor");
    CHECK(map->answer({"admin", "staff"}) == "author");
    CHECK(map->answer({"aide", "admin"}) == "editor"); // values outside `precedence` come last
    CHECK(map->answers() == std::vector<std::string>{"authenticated", "author", "editor"});
    auto const without = parse_role_map(R"({"from":"role","map":{"admin":"editor"},"allowed":["editor"]})");
    REQUIRE(without.has_value());
    CHECK(without->answer({"user"}) == std::nullopt);
}

TEST_CASE("role map: rejects a faulty ROLE_MAP with the fix")
{
    struct
    {
        char const* text;
        char const* message;
    } const table[] = {
        {"editor", "JSON object"},
        {"[]", "JSON object"},
        {R"({"from":"role","map":{"a":"b"},"allowed":["b"])", "valid JSON"},
        {R"({"from":"role","map":{"a":"b"},"allowed":["b"]} {})", "valid JSON"},
        {R"({"from":"role","map":{"a":"b","a":"c"},"allowed":["b","c"]})", "valid JSON"},
        {R"({"map":{"a":"b"},"allowed":["b"]})", "'from'"},
        {R"({"from":"role","allowed":["b"]})", "'map'"},
        {R"({"from":"role","map":{},"allowed":["b"]})", "'map'"},
        {R"({"from":"role","map":{"a":1},"allowed":["b"]})", "'map'"},
        {R"({"from":"role","map":[],"allowed":["b"]})", "'map'"},
        {R"({"from":"role","map":{"a":"b"}})", "'allowed'"},
        {R"({"from":"role","map":{"a":"b"},"allowed":"b"})", "'allowed'"},
        {R"({"from":"role","map":{"a":"b"},"allowed":["c"]})", "not in 'allowed'"},
        {R"({"from":"role","map":{"a":"b"},"allowed":["b"],"default":"c"})", "not in 'allowed'"},
        {R"({"from":"role","map":{"a":"b"},"allowed":["b"],"precedence":["x"]})", "'precedence'"},
        {R"({"from":"role","map":{"a":"b"},"allowed":["b"],"precedence":["a","a"]})", "twice"},
        {R"({"from":"role","map":{"a":"b"},"allowed":["b"],"dfault":"b"})", "unknown member 'dfault'"},
    };
    for (auto const& row : table) {
        CAPTURE(row.text);
        auto const map = parse_role_map(row.text);
        REQUIRE_FALSE(map.has_value());
        CAPTURE(map.error().what);
        CHECK(map.error().what.find(row.message) != std::string::npos);
    }
}

TEST_CASE("role map: reads only texts of the configured public_metadata member [E8 E11]")
{
    using hints = std::vector<std::string>;
    struct
    {
        char const* members;
        hints expected;
    } const table[] = {
        {R"("public_metadata":{"role":"admin"})", {"admin"}},
        {R"("public_metadata":{"role":["staff","admin"]})", {"staff", "admin"}},
        {R"("public_metadata":{"role":["staff",1,null,{"role":"admin"},["admin"]]})", {"staff"}},
        {R"("public_metadata":{"role":{"admin":true}})", {}},
        {R"("public_metadata":{"role":12345678901234567890123})", {}},
        {R"("public_metadata":{"role":""})", {}},
        {R"("public_metadata":{"role":"a\u0000b"})", {}},
        {R"("public_metadata":{"roles":"admin","__proto__":{"role":"admin"},"id":1e400})", {}},
        {R"("public_metadata":null)", {}},
        {R"("public_metadata":"admin")", {}},
        {R"("unsafe_metadata":{"role":"admin"},"private_metadata":{"role":"admin"},"role":"admin")", {}},
    };
    for (auto const& row : table) {
        CAPTURE(row.members);
        auto const text = std::string{R"({"type":"user.updated","data":{"id":"user_1","updated_at":1750000000000,)"}
            + row.members + "}}";
        auto const decoded = decode_clerk_event(text, "role");
        REQUIRE(decoded.has_value());
        CHECK(to_desired_values(decoded->user).role_hints == row.expected);
        auto const unasked = decode_clerk_event(text);
        REQUIRE(unasked.has_value());
        CHECK(to_desired_values(unasked->user).role_hints.empty());
    }
}
