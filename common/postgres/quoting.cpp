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

// Only the quote is special, because standard_conforming_strings is on since PostgreSQL 9.1.
std::string quoted_literal(std::string_view text) { return quoted(text, '\''); }

}
