#include "common/event/json_text.hpp"

#include "common/event/hex.hpp"
#include "common/event/utf8.hpp"

namespace clerk_strapi
{
namespace
{

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
    out += "\\u00";
    append_hex(out, static_cast<unsigned char>(c));
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
        } else if (auto const length = utf8_length(text); length != 0) {
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
