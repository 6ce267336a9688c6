#include "ingest/token/session_token.hpp"

#include "common/event/base64.hpp"
#include "common/event/json_reader.hpp"

#include <algorithm>
#include <array>

namespace clerk_strapi::ingest
{
namespace
{

constexpr int depth_max = 16;
constexpr std::string_view session_category = "cl_B7d4PD111AAA";
constexpr std::string_view ignored_category = "cl_I7d4PD111III";

struct split_token
{
    std::string_view header, payload, signature;
};

// Exactly three parts, none empty.
std::optional<split_token> split(std::string_view text)
{
    auto const first = text.find('.');
    if (first == std::string_view::npos) return std::nullopt;
    auto const second = text.find('.', first + 1);
    if (second == std::string_view::npos) return std::nullopt;
    split_token const parts{text.substr(0, first), text.substr(first + 1, second - first - 1), text.substr(second + 1)};
    if (parts.header.empty() || parts.payload.empty() || parts.signature.empty()) return std::nullopt;
    if (parts.signature.find('.') != std::string_view::npos) return std::nullopt;
    return parts;
}

// M2M tokens, OAuth access tokens, API keys: opaque, not for this door.
bool is_machine_token(std::string_view text)
{
    return text.starts_with("mt_") || text.starts_with("oat_") || text.starts_with("ak_");
}

// A member is absent, a text, or of another kind: then it is there without a text.
struct header_member
{
    bool present{false};
    std::optional<std::string> text;
};

struct token_header
{
    header_member algorithm, type, category, key_id;
    bool changes_meaning{false}; // crit, b64, zip: extensions that we do not speak
};

// Keys and addresses of keys in a header (jwk, jku, x5u, x5c) are the attacker's own: skipped like any other name.
std::optional<token_header> read_header(std::string_view json)
{
    json_reader reader{json, depth_max};
    if (reader.peek() != json_kind::object) return std::nullopt;
    token_header header;
    auto const text = [&reader] { return header_member{true, reader.string()}; };
    reader.object([&](std::string_view name) {
        if (name == "alg")
            header.algorithm = text();
        else if (name == "typ")
            header.type = text();
        else if (name == "cat")
            header.category = text();
        else if (name == "kid")
            header.key_id = text();
        else
            reader.skip();
        header.changes_meaning |= name == "crit" || name == "b64" || name == "zip";
        return true;
    });
    if (!reader.finish()) return std::nullopt;
    return header;
}

std::optional<token_reason> refuse_header(token_header const& header)
{
    if (header.algorithm.text != "RS256") return token_reason::invalid_algorithm;
    if (header.changes_meaning) return token_reason::invalid;
    if (header.type.text == "at+jwt" || header.type.text == "application/at+jwt") return token_reason::type_mismatch;
    if (header.type.present && header.type.text != "JWT") return token_reason::invalid;
    auto const& category = header.category;
    if (category.present && category.text != session_category && category.text != ignored_category)
        return token_reason::type_mismatch;
    if (header.key_id.present && !header.key_id.text) return token_reason::invalid;
    return std::nullopt;
}

}

result<token_parts, token_reason> read_token(std::string_view text)
{
    if (text.empty()) return token_reason::missing;
    if (text.size() > token_bytes_max) return token_reason::too_large;
    if (is_machine_token(text)) return token_reason::type_mismatch;
    auto const parts = split(text);
    if (!parts) return token_reason::invalid;
    auto const header_json = decode_base64url(parts->header);
    if (!header_json) return token_reason::invalid;
    auto header = read_header(*header_json);
    if (!header) return token_reason::invalid;
    if (auto const reason = refuse_header(*header)) return *reason;
    auto payload = decode_base64url(parts->payload);
    auto signature = decode_base64url(parts->signature);
    if (!payload || !signature) return token_reason::invalid;
    return token_parts{.signed_bytes = text.substr(0, parts->header.size() + 1 + parts->payload.size()),
        .kid = std::move(header->key_id.text).value_or(""),
        .payload = std::move(*payload),
        .signature = std::move(*signature)};
}

bool claims_to_be_clerks(std::string_view text)
{
    if (is_machine_token(text)) return true;
    if (text.find('.') == std::string_view::npos) return false;
    auto const parts = split(text);
    if (!parts || text.size() > token_bytes_max) return true;
    auto const json = decode_base64url(parts->header);
    auto const header = json ? read_header(*json) : std::nullopt;
    if (!header) return true;
    constexpr std::array<std::string_view, 3> shared_secret_algorithms{"HS256", "HS384", "HS512"};
    return std::find(shared_secret_algorithms.begin(), shared_secret_algorithms.end(), header->algorithm.text)
        == shared_secret_algorithms.end();
}

}
