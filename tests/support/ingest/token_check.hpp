#pragma once

// Verifies a token as handle_auth_verify does with a PEM: form and header, signature, claims, policy.

#include "ingest/token/rsa_key.hpp"
#include "ingest/token/session_token.hpp"
#include "tests/support/ingest/minted_token.hpp"
#include "tests/support/ingest/signed_webhook.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace clerk_strapi::tests
{

inline constexpr std::int64_t token_now = 1'800'000'000;

[[nodiscard]] inline std::chrono::system_clock::time_point at(std::int64_t seconds)
{
    return std::chrono::system_clock::time_point{std::chrono::seconds{seconds}};
}

[[nodiscard]] inline ingest::rsa_key const& our_key()
{
    static auto const key = must(ingest::rsa_key::from_pem(minting_key::ours().pem()));
    return key;
}

[[nodiscard]] inline ingest::token_policy our_policy()
{
    return {.issuer = std::string{token_issuer}, .authorized_parties = {std::string{token_party}}};
}

// Nothing if the token is accepted.
[[nodiscard]] inline std::optional<ingest::token_reason> rejection_of(
    std::string_view token, ingest::token_policy const& policy = our_policy(), std::int64_t now = token_now)
{
    auto const parts = ingest::read_token(token);
    if (!parts) return parts.error();
    if (!our_key().verifies(parts->signed_bytes, parts->signature)) return ingest::token_reason::invalid_signature;
    auto const claims = ingest::read_claims(parts->payload);
    if (!claims) return claims.error();
    return ingest::check_claims(*claims, policy, at(now));
}

}
