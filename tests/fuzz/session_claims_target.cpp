// Covers I5, I6, B7-B15: of a payload with a good signature, claims are accepted exactly when the second verifier
// accepts them, times are in the calendar, and what Strapi gets is what the token contains. No signature is made, so
// this target tries a thousand times as many payloads as session_token.
// Input: the payload.

#include "ingest/token/session_token.hpp"
#include "tests/fuzz/plain_json.hpp"
#include "tests/fuzz/target.hpp"
#include "tests/support/ingest/minted_token.hpp"
#include "tests/support/ingest/plain_verifier.hpp"

#include <algorithm>
#include <chrono>

namespace clerk_strapi::fuzz
{
namespace
{

using namespace ingest;

constexpr std::int64_t now_seconds = 1'800'000'000;
std::chrono::system_clock::time_point const now{std::chrono::seconds{now_seconds}};

void check_actor(std::optional<token_actor> const& actor, nlohmann::json const& payload)
{
    auto const* const written = member(payload, "act");
    promise(actor.has_value() == (written != nullptr && !written->is_null()), "an impersonation is reported (B14)");
    if (!actor) return;
    promise(!actor->subject.empty() && actor->subject == text_member(*written, "sub"), "with its subject");
    promise(actor->issuer == text_member(*written, "iss") && actor->type == text_member(*written, "type"), "as it is");
}

// Either may contain a colon, so any of the colons may be the separator.
bool is_of_both(std::string const& permission, std::string const& features, std::string const& names)
{
    for (auto colon = permission.find(':'); colon != std::string::npos; colon = permission.find(':', colon + 1)) {
        auto const named = features.find(permission.substr(0, colon)) != std::string::npos;
        if (named && names.find(permission.substr(colon + 1)) != std::string::npos) return true;
    }
    return false;
}

void check_organization(std::optional<token_organization> const& organization, nlohmann::json const& payload)
{
    if (!organization) return;
    auto const* const version = member(payload, "v");
    auto const compact = version != nullptr && whole_number(*version) == 2;
    auto const* const o = member(payload, "o");
    auto const id = compact ? (o == nullptr ? std::nullopt : text_member(*o, "id")) : text_member(payload, "org_id");
    promise(id && organization->id == *id && !id->empty(), "the organization is the token's");
    auto const features = text_member(payload, "fea").value_or("");
    auto const names = compact && o != nullptr ? text_member(*o, "per").value_or("") : "";
    for (auto const& permission : organization->permissions) {
        if (!compact) break;
        promise(is_of_both(permission, features, names), "a permission is a feature and a name of the token");
    }
}

void check_session_claims(std::string_view input)
{
    auto const claims = read_claims(input);
    auto const plain = read_plainly(input, 16);
    if (plain.is_beyond_us) return;
    promise(plain.good() || !claims, "claims are strict JSON (B15)");
    static token_policy const policy{
        .issuer = std::string{tests::token_issuer}, .authorized_parties = {std::string{tests::token_party}}};
    auto const accepted = claims && !refuse_claims(*claims, policy, now);
    auto const theirs = tests::plain_accept(
        std::string{input}, {{}, std::string{tests::token_issuer}, std::string{tests::token_party}}, now_seconds);
    promise(accepted == theirs.has_value(), "both verifiers say the same");
    if (!claims) return;

    promise(claims->clerk_id == text_member(plain.value, "sub"), "the user is the token's (B12)");
    promise(claims->session_id == text_member(plain.value, "sid"), "and the session");
    promise(claims->issuer == text_member(plain.value, "iss"), "and the issuer (B9)");
    promise(claims->authorized_party == text_member(plain.value, "azp"), "and the party (B10)");
    for (auto const time : {claims->expires_at, claims->issued_at, claims->not_before})
        promise(time >= 1'000'000'000 && time <= 100'000'000'000, "a time of the calendar (B7)");
    check_actor(claims->actor, plain.value);
    check_organization(claims->organization, plain.value);
    auto const any_issuer = !refuse_claims(*claims, {}, now);
    promise(!any_issuer || claims->issuer.starts_with("https://"), "every issuer is https");
    promise(!any_issuer || !claims->pending, "a session with open tasks is signed out (B13)");
    promise(!any_issuer || claims->expires_at - claims->issued_at <= 600, "no token lives for long (B7)");
    promise(!any_issuer || claims->expires_at > now_seconds - 5, "expired is expired (B8)");
}

[[maybe_unused]] bool const listed = list("session_claims", check_session_claims);

}
}
