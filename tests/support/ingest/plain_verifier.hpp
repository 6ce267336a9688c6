#pragma once

// A second verifier of session tokens, for comparison: written only from the rules, with a general JSON library and
// OpenSSL's high-level calls; slow and simple. It shares no line with ingest/token.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace clerk_strapi::tests
{

struct plain_policy
{
    std::string public_key_pem;
    std::string issuer;
    std::string authorized_party;
};

// The user's and the session's id, separated by a space; nothing for a token that must be rejected.
[[nodiscard]] std::optional<std::string> plain_verify(
    std::string const& token, plain_policy const& policy, std::int64_t now);

// The same for a payload whose signature is already verified.
[[nodiscard]] std::optional<std::string> plain_accept(
    std::string const& payload, plain_policy const& policy, std::int64_t now);

}
