#include "common/event/utf8.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

namespace clerk_strapi
{
namespace
{

std::string utf8_of(char32_t point)
{
    std::string text;
    append_utf8(text, point);
    return text;
}

}

TEST_CASE("utf8: returns the length of a valid character, at each border of RFC 3629")
{
    struct row
    {
        std::string_view text;
        std::size_t length;
    };
    for (auto const& [text, length] : {
             row{"", 0},
             row{std::string_view{"\0", 1}, 1},
             row{"a", 1},
             row{"\x7f", 1},
             row{"\xc2\x80", 2},
             row{"\xdf\xbf", 2},
             row{"\xe0\xa0\x80", 3},
             row{"\xed\x9f\xbf", 3},
             row{"\xee\x80\x80", 3},
             row{"\xef\xbf\xbf", 3},
             row{"\xf0\x90\x80\x80", 4},
             row{"\xf4\x8f\xbf\xbf", 4},
             row{"\xc3\xa9 and more", 2},
         }) {
        CAPTURE(text);
        CHECK(utf8_length(text) == length);
    }
}

TEST_CASE("utf8: returns 0 for an invalid sequence")
{
    for (std::string_view const text : {
             "\x80", "\xbf", // nothing to continue
             "\xc0\xaf", "\xc1\xbf", "\xe0\x9f\xbf", "\xf0\x8f\xbf\xbf", // overlong
             "\xed\xa0\x80", "\xed\xbf\xbf", // surrogates
             "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", // above U+10FFFF
             "\xc3", "\xe2\x82", "\xf0\x9f\x98", // cut off
             "\xc3(", "\xe2(\xa1", "\xe2\x82(", "\xf0\x9f\x98(", // not continued
         }) {
        CAPTURE(text);
        CHECK(utf8_length(text) == 0);
    }
}

TEST_CASE("utf8: reads every character that it writes")
{
    CHECK(utf8_of(0x41) == "A");
    CHECK(utf8_of(0xE9) == "\xc3\xa9");
    CHECK(utf8_of(0x20AC) == "\xe2\x82\xac");
    CHECK(utf8_of(0x1F600) == "\xf0\x9f\x98\x80");
    std::size_t wrong = 0;
    for (char32_t point = 0; point <= 0x10FFFF; ++point) {
        if (point >= 0xD800 && point <= 0xDFFF) continue;
        auto const text = utf8_of(point);
        if (utf8_length(text) != text.size()) ++wrong;
    }
    CHECK(wrong == 0);
}

TEST_CASE("utf8: finds the bytes that continue a character")
{
    CHECK_FALSE(continues_utf8('a'));
    CHECK_FALSE(continues_utf8('\xc3'));
    CHECK_FALSE(continues_utf8('\xf0'));
    CHECK(continues_utf8('\x80'));
    CHECK(continues_utf8('\xbf'));
}

}
