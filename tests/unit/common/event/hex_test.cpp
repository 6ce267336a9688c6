#include "common/event/hex.hpp"

#include <doctest/doctest.h>

#include <string>

namespace clerk_strapi
{

using namespace std::string_literals;

TEST_CASE("hex: writes digits in lower case and reads both cases")
{
    std::string text;
    for (auto const byte : {0x00, 0x0f, 0xa0, 0xff})
        append_hex(text, static_cast<unsigned char>(byte));
    CHECK(text == "000fa0ff");
    CHECK(hex_value('0') == 0);
    CHECK(hex_value('9') == 9);
    CHECK(hex_value('a') == 10);
    CHECK(hex_value('F') == 15);
    for (char const c : "/:@G`g \xff\0"s) {
        CAPTURE(static_cast<int>(c));
        CHECK(hex_value(c) == -1);
    }
}

}
