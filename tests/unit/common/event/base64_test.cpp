#include "common/event/base64.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <string_view>

namespace clerk_strapi
{
namespace
{

using namespace std::string_literals;

std::optional<std::string> nothing() { return std::nullopt; }

}

TEST_CASE("base64: decodes the test vectors of RFC 4648 without padding")
{
    for (auto const decode : {+[](std::string_view text) { return decode_base64(text); }, &decode_base64url}) {
        CHECK(decode("") == "");
        CHECK(decode("Zg") == "f");
        CHECK(decode("Zm8") == "fo");
        CHECK(decode("Zm9v") == "foo");
        CHECK(decode("Zm9vYg") == "foob");
        CHECK(decode("Zm9vYmE") == "fooba");
        CHECK(decode("Zm9vYmFy") == "foobar");
    }
}

TEST_CASE("base64: each alphabet rejects all other characters")
{
    CHECK(decode_base64("+/+/") == "\xfb\xff\xbf");
    CHECK(decode_base64url("-_-_") == "\xfb\xff\xbf");
    CHECK(decode_base64("-_-_") == nothing());
    CHECK(decode_base64url("+/+/") == nothing());
    for (auto const& text : {"Zg=="s, "Zg="s, "="s, "Zm9v "s, " Zm9v"s, "Zm\n9v"s, "Zm9v\0"s, "Zm9\xff"s, "Zm.v"s}) {
        CAPTURE(text);
        CHECK(decode_base64(text) == nothing());
        CHECK(decode_base64(text, spare_bits::any) == nothing());
        CHECK(decode_base64url(text) == nothing());
    }
}

TEST_CASE("base64: rejects a lone last character, and spare bits unless they are allowed")
{
    for (auto const* const text : {"Z", "Zm9vY"}) {
        CHECK(decode_base64(text) == nothing());
        CHECK(decode_base64(text, spare_bits::any) == nothing());
        CHECK(decode_base64url(text) == nothing());
    }
    for (auto const* const text : {"Zh", "Zm9"}) {
        CHECK(decode_base64(text) == nothing());
        CHECK(decode_base64url(text) == nothing());
    }
    CHECK(decode_base64("Zh", spare_bits::any) == "f");
    CHECK(decode_base64("Zm9", spare_bits::any) == "fo");
}

}
