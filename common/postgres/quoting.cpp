#include "common/postgres/quoting.hpp"

namespace clerk_strapi::postgres
{
namespace
{

std::string quoted(std::string_view text, char quote)
{
    std::string out{quote};
    for (auto const c : text) {
        if (c == quote) out += quote;
        out += c;
    }
    return out + quote;
}

}

std::string quoted_identifier(std::string_view name) { return quoted(name, '"'); }

// Standard strings: only the quote is special. A backslash would need standard_conforming_strings, on since 9.1.
std::string quoted_literal(std::string_view text) { return quoted(text, '\''); }

}
