#pragma once

// Hexadecimal digits, for digests, trace ids and escapes. Pure.

#include <string>
#include <string_view>

namespace clerk_strapi
{

// Two lower-case digits.
inline void append_hex(std::string& out, unsigned char byte)
{
    constexpr std::string_view digits = "0123456789abcdef";
    out += digits[byte >> 4U];
    out += digits[byte & 0xFU];
}

// The value of one digit in either case; -1 for any other character.
[[nodiscard]] constexpr int hex_value(char digit)
{
    if (digit >= '0' && digit <= '9') return digit - '0';
    if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
    return -1;
}

}
