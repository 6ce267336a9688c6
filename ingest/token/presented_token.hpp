#pragma once

// Selects the token of a request: Authorization: Bearer, else the session cookie of our instance, else the cookie
// without a suffix. The header takes precedence. Pure.

#include <optional>
#include <span>
#include <string_view>

namespace clerk_strapi::ingest
{

enum class token_origin { none, header, cookie };

struct presented_token
{
    token_origin origin{token_origin::none};
    std::string_view text; // a view of the request
    // Two Authorization headers, or the chosen cookie twice with different values: never accepted.
    bool ambiguous{false};
};

// `authorization` and `cookies` are the values of all headers of that name. `suffix` is empty without a publishable
// key; `own_issuer` is empty when unknown. The scheme is compared without case. The iss and iat of the cookies' tokens
// are read before verification, and only to choose between the cookies.
[[nodiscard]] presented_token choose_token(std::span<std::string_view const> authorization,
    std::span<std::string_view const> cookies, std::string_view suffix, std::string_view own_issuer);

}
