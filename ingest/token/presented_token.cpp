#include "ingest/token/presented_token.hpp"

#include "common/event/base64.hpp"
#include "common/event/json_reader.hpp"
#include "ingest/token/session_token.hpp"

#include <algorithm>
#include <cstdint>
#include <string>

namespace clerk_strapi::ingest
{
namespace
{

constexpr std::string_view session_cookie = "__session";
constexpr std::string_view client_cookie = "__client_uat"; // when the browser last signed in; "0": it is signed out

bool equal_without_case(std::string_view a, std::string_view b)
{
    auto const lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return lower(x) == lower(y); });
}

std::string_view trim(std::string_view text)
{
    constexpr std::string_view blanks = " \t";
    auto const first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

// Nothing: another scheme, or none; then the header presents no token.
std::optional<std::string_view> read_bearer(std::string_view value)
{
    value = trim(value);
    auto const end = std::min(value.find_first_of(" \t"), value.size());
    if (!equal_without_case(value.substr(0, end), "bearer")) return std::nullopt;
    return trim(value.substr(end));
}

struct cookie_value
{
    bool present{false}; // an empty cookie is none
    bool ambiguous{false}; // twice, with different values
    std::string_view text; // the first one's
};

// The value under `name` and, when `suffix` is not empty, '_' and the suffix.
cookie_value find_cookie(std::span<std::string_view const> cookies, std::string_view name, std::string_view suffix)
{
    auto const is_ours = [&](std::string_view found) {
        if (suffix.empty()) return found == name;
        return found.size() == name.size() + 1 + suffix.size() && found.starts_with(name) && found[name.size()] == '_'
            && found.ends_with(suffix);
    };
    cookie_value result;
    for (auto header : cookies) {
        while (!header.empty()) {
            auto const end = std::min(header.find(';'), header.size());
            auto const pair = header.substr(0, end);
            header.remove_prefix(std::min(end + 1, header.size()));
            auto const equals = pair.find('=');
            if (equals == std::string_view::npos || !is_ours(trim(pair.substr(0, equals)))) continue;
            auto const value = trim(pair.substr(equals + 1));
            if (value.empty()) continue;
            if (result.present)
                result.ambiguous |= value != result.text;
            else
                result = {.present = true, .ambiguous = false, .text = value};
        }
    }
    return result;
}

// What a token says of itself. Nobody has looked at its signature.
struct hearsay
{
    std::optional<std::string> issuer;
    std::int64_t issued_at{0};
};

hearsay listen_to(std::string_view token)
{
    auto const first = token.find('.');
    auto const last = token.rfind('.');
    if (token.size() > token_bytes_max || first == last) return {};
    auto const payload = decode_base64url(token.substr(first + 1, last - first - 1));
    if (!payload) return {};
    json_reader reader{*payload};
    if (reader.peek() != json_kind::object) return {};
    hearsay heard;
    reader.object([&](std::string_view name) {
        if (name == "iss")
            heard.issuer = reader.string();
        else if (name == "iat")
            heard.issued_at = reader.integer().value_or(0);
        else
            reader.skip();
        return true;
    });
    return reader.finish() ? heard : hearsay{};
}

// Browsers hold two sets of cookies while an application moves from one to the other; this is Clerk's own choice
// between them, case by case, with one exception: a lone suffixed session needs no __client_uat beside it.
bool prefers_suffixed(std::span<std::string_view const> cookies, std::string_view suffix, std::string_view own_issuer)
{
    auto const plain = find_cookie(cookies, session_cookie, {});
    auto const suffixed = find_cookie(cookies, session_cookie, suffix);
    auto const client = find_cookie(cookies, client_cookie, {}).text;
    auto const suffixed_client = find_cookie(cookies, client_cookie, suffix).text;
    auto const plain_says = plain.present ? listen_to(plain.text) : hearsay{};

    if (plain.present && (!plain_says.issuer || plain_says.issuer->empty())) return false;
    if (plain.present && !own_issuer.empty() && *plain_says.issuer != own_issuer) return true;
    if (!suffixed.present && suffixed_client.empty()) return false;
    auto const issued_later = plain.present && plain_says.issued_at > listen_to(suffixed.text).issued_at;
    if (suffixed_client != "0" && client != "0" && issued_later) return false;
    if (suffixed_client == "0" && client != "0") return false;
    if (suffixed.present && suffixed_client.empty()) return !plain.present;
    return true;
}

}

presented_token choose_token(std::span<std::string_view const> authorization, std::span<std::string_view const> cookies,
    std::string_view suffix, std::string_view own_issuer)
{
    if (authorization.size() > 1) return {token_origin::header, {}, true};
    if (authorization.size() == 1) {
        if (auto const bearer = read_bearer(authorization.front())) return {token_origin::header, *bearer, false};
    }
    auto const chosen_suffix = !suffix.empty() && prefers_suffixed(cookies, suffix, own_issuer) ? suffix : "";
    auto const chosen = find_cookie(cookies, session_cookie, chosen_suffix);
    if (!chosen.present) return {};
    return {token_origin::cookie, chosen.text, chosen.ambiguous};
}

}
