#pragma once

// UTF-8, strictly as in RFC 3629: no overlong form, no surrogate, nothing above U+10FFFF. In the header, because the
// JSON reader and writer call it once per character. Pure.

#include <cstddef>
#include <string>
#include <string_view>

namespace clerk_strapi
{

// Whether a byte of valid UTF-8 continues a character, so a text must not be cut before it.
[[nodiscard]] constexpr bool continues_utf8(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

// The bytes of the character at the front of `text`; 0 when there is no valid one.
[[nodiscard]] constexpr std::size_t utf8_length(std::string_view text)
{
    if (text.empty()) return 0;
    auto const at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    auto const continued = [&](std::size_t i) { return i < text.size() && continues_utf8(text[i]); };
    auto const first = at(0);
    if (first < 0x80) return 1;
    if (first >= 0xC2 && first <= 0xDF) return continued(1) ? 2 : 0;
    if (first >= 0xE0 && first <= 0xEF) {
        if (!continued(1) || !continued(2)) return 0;
        if (first == 0xE0 && at(1) < 0xA0) return 0; // overlong
        if (first == 0xED && at(1) > 0x9F) return 0; // a surrogate
        return 3;
    }
    if (first >= 0xF0 && first <= 0xF4) {
        if (!continued(1) || !continued(2) || !continued(3)) return 0;
        if (first == 0xF0 && at(1) < 0x90) return 0; // overlong
        if (first == 0xF4 && at(1) > 0x8F) return 0; // above U+10FFFF
        return 4;
    }
    return 0;
}

// `point` is a Unicode scalar value.
inline void append_utf8(std::string& out, char32_t point)
{
    auto const lead = [&](unsigned marker, unsigned shift) { out += static_cast<char>(marker | point >> shift); };
    auto const next = [&](unsigned shift) { out += static_cast<char>(0x80U | (point >> shift & 0x3FU)); };
    if (point < 0x80) {
        lead(0, 0);
    } else if (point < 0x800) {
        lead(0xC0, 6);
        next(0);
    } else if (point < 0x10000) {
        lead(0xE0, 12);
        next(6);
        next(0);
    } else {
        lead(0xF0, 18);
        next(12);
        next(6);
        next(0);
    }
}

}
