#include "ingest/core/key_set.hpp"
#include "ingest/core/session_token.hpp"
#include "tests/ingest/support/minted_token.hpp"

#include <doctest/doctest.h>

namespace clerk_strapi::ingest
{
namespace
{

using tests::json_members;
using tests::mint;
using tests::minting_key;
using tests::sign_token;
using tests::token_claims;
using tests::token_header;
using tests::token_issuer;
using tests::token_party;

constexpr std::int64_t now_s = 1'800'000'000;

std::chrono::system_clock::time_point at(std::int64_t seconds)
{
    return std::chrono::system_clock::time_point{std::chrono::seconds{seconds}};
}

rsa_key const& our_key()
{
    static auto const key = *rsa_key::from_pem(minting_key::ours().pem());
    return key;
}

token_policy our_policy()
{
    return {.issuer = std::string{token_issuer}, .authorized_parties = {std::string{token_party}}};
}

// The steps as the story takes them, with a PEM: the kid is not looked at.
std::optional<token_reason> refuse(
    std::string_view token, token_policy const& policy = our_policy(), std::int64_t now = now_s)
{
    auto const parts = read_token(token);
    if (!parts) return parts.error();
    if (!our_key().verifies(parts->signed_bytes, parts->signature)) return token_reason::invalid_signature;
    auto const claims = read_claims(parts->payload);
    if (!claims) return claims.error();
    return refuse_claims(*claims, policy, at(now));
}

session_claims claims_of(json_members const& claims) { return *read_claims(claims.text()); }

json_members good() { return token_claims(now_s); }

}

TEST_CASE("[I5] a good token of today is accepted, and says who it is")
{
    CHECK(refuse(mint(good())) == std::nullopt);
    auto const claims = claims_of(good());
    CHECK(claims.clerk_id == "user_2abc");
    CHECK(claims.session_id == "sess_2abc");
    CHECK(claims.issuer == token_issuer);
    CHECK(claims.authorized_party == token_party);
    CHECK(claims.expires_at == now_s + 60);
    CHECK(claims.issued_at == now_s);
    CHECK(claims.not_before == now_s - 10);
    CHECK_FALSE(claims.pending);
    CHECK_FALSE(claims.actor);
    CHECK_FALSE(claims.organization);
}

}
