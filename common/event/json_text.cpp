#include "common/event/json_text.hpp"

#include <cstdint>

namespace clerk_strapi
{
namespace
{

constexpr char hex_digits[] = "0123456789abcdef";

bool is_continuation(unsigned char c) { return (c & 0xc0U) == 0x80U; }

// Length of the well-formed UTF-8 sequence at the front of `text` (RFC 3629), 0 when there is none.
std::size_t sequence_length(std::string_view text)
{
    auto const at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    auto const first = at(0);
    if (first < 0x80) return 1;
    if (first >= 0xc2 && first <= 0xdf) return text.size() >= 2 && is_continuation(at(1)) ? 2 : 0;
    if (first >= 0xe0 && first <= 0xef) {
        if (text.size() < 3 || !is_continuation(at(1)) || !is_continuation(at(2))) return 0;
        if (first == 0xe0 && at(1) < 0xa0) return 0; // overlong
        if (first == 0xed && at(1) > 0x9f) return 0; // a surrogate
        return 3;
    }
    if (first >= 0xf0 && first <= 0xf4) {
        if (text.size() < 4 || !is_continuation(at(1)) || !is_continuation(at(2)) || !is_continuation(at(3))) return 0;
        if (first == 0xf0 && at(1) < 0x90) return 0; // overlong
        if (first == 0xf4 && at(1) > 0x8f) return 0; // past U+10FFFF
        return 4;
    }
    return 0;
}

void append_escaped(std::string& out, char c)
{
    switch (c) {
    case '"': out += "\\\""; return;
    case '\\': out += "\\\\"; return;
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    default: break;
    }
    auto const byte = static_cast<unsigned char>(c);
    out += "\\u00";
    out += hex_digits[byte >> 4U];
    out += hex_digits[byte & 0xfU];
}

}

void append_json_string(std::string& out, std::string_view text)
{
    out += '"';
    while (!text.empty()) {
        auto const c = static_cast<unsigned char>(text.front());
        if (c < 0x20 || c == '"' || c == '\\' || c == 0x7f) {
            append_escaped(out, text.front());
            text.remove_prefix(1);
        } else if (auto const length = sequence_length(text); length != 0) {
            out += text.substr(0, length);
            text.remove_prefix(length);
        } else {
            out += "\xef\xbf\xbd";
            text.remove_prefix(1);
        }
    }
    out += '"';
}

std::string json_string(std::string_view text)
{
    std::string out;
    append_json_string(out, text);
    return out;
}

}
