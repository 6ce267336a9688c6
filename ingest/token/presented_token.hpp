#pragma once

// Which token a request presents: Authorization: Bearer, else the session cookie of our instance, else the cookie
// without a suffix. The header wins, and tokens are never mixed. Pure.

#include <optional>
#include <span>
#include <string_view>

namespace clerk_strapi::ingest
{

enum class token_origin { none, header, cookie };

struct presented_token
{
    token_origin origin{token_origin::none};
    std::string_view text; // of the request
    bool ambiguous{
        false}; // two Authorization headers, or the chosen cookie twice with different values: never accepted
};

// `authorization` and `cookies` are the values of all headers of that name; `suffix` is empty when no publishable key
// is known. The scheme is compared without case. What the cookies' tokens say of themselves (iss, iat) is read without
// trust, only to choose between them; `own_issuer` is empty when unknown.
[[nodiscard]] presented_token choose_token(std::span<std::string_view const> authorization,
    std::span<std::string_view const> cookies, std::string_view suffix, std::string_view own_issuer);

}
