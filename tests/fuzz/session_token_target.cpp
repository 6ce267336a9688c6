// Covers I5, I6, B1-B3, B6-B13, B15 and B16: a token is accepted exactly when the second verifier, written from the
// rule alone, accepts it, and then it is of this issuer, this party, this user. Input: a token as it is presented;
// or `sign`, the header and the payload on a line each, signed with the fixed key.

#include "common/event/base64.hpp"
#include "ingest/token/rsa_key.hpp"
#include "ingest/token/session_token.hpp"
#include "tests/fuzz/plain_json.hpp"
#include "tests/fuzz/target.hpp"
#include "tests/support/ingest/minted_token.hpp"
#include "tests/support/ingest/plain_verifier.hpp"

#include <chrono>

namespace clerk_strapi::fuzz
{
namespace
{

using namespace ingest;
using tests::minting_key;

constexpr std::int64_t now_seconds = 1'800'000'000;

rsa_key const& key()
{
    static auto const made = rsa_key::from_pem(minting_key::fixed().pem());
    return *made;
}

result<session_claims, token_reason> accept(std::string_view token)
{
    static token_policy const policy{
        .issuer = std::string{tests::token_issuer}, .authorized_parties = {std::string{tests::token_party}}};
    auto const parts = read_token(token);
    if (!parts) return parts.error();
    if (!key().verifies(parts->signed_bytes, parts->signature)) return token_reason::invalid_signature;
    auto claims = read_claims(parts->payload);
    if (!claims) return claims.error();
    std::chrono::system_clock::time_point const now{std::chrono::seconds{now_seconds}};
    if (auto const refused = refuse_claims(*claims, policy, now)) return *refused;
    return claims;
}

// The second verifier's library cannot represent every number that JSON allows.
bool is_comparable(std::string_view token)
{
    for (auto parts = token; !parts.empty();) {
        auto const json = decode_base64url(take_until(parts, "."));
        if (json && read_plainly(*json, 16).is_beyond_us) return false;
    }
    return true;
}

std::string token_of(std::string_view input)
{
    if (take_until(input, "\n") != "sign") return {};
    auto const header = take_line(input);
    return tests::sign_token(header, input, minting_key::fixed());
}

void check_session_token(std::string_view input)
{
    static tests::plain_policy const policy{
        minting_key::fixed().pem(), std::string{tests::token_issuer}, std::string{tests::token_party}};
    auto token = token_of(input);
    auto const is_signed = !token.empty();
    if (!is_signed) token = input;

    auto const ours = accept(token);
    promise(!is_signed || ours || ours.error() != token_reason::invalid_signature, "what we signed is signed");
    promise(token.size() <= token_bytes_max || !ours, "over 8 KiB is no token (B16)");
    promise(!read_token(token) || claims_to_be_clerks(token), "a gateway passes no unverified token");
    if (!is_comparable(token)) return;
    auto const theirs = tests::plain_verify(token, policy, now_seconds);
    promise(ours.has_value() == theirs.has_value(), "both verifiers say the same");
    if (!ours) return;
    promise(ours->clerk_id + " " + ours->session_id == *theirs, "of the same user and session (B12)");
    promise(ours->issuer == tests::token_issuer, "issued by our instance (B9)");
    promise(ours->authorized_party == tests::token_party, "made for our origin (B10)");
}

[[maybe_unused]] bool const listed = list("session_token", check_session_token);

}
}
