#pragma once

// Verifies Clerk's session tokens (JWT, RS256), more strictly than Clerk's SDK: ingest/README.md lists every
// difference. Pure; time and keys are arguments. The order of the checks is form and header, key, signature, claims, so
// that a forged token costs little; the first failure is the reason. Keeps I5.

#include "common/event/result.hpp"
#include "ingest/token/token_reason.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace clerk_strapi::ingest
{

inline constexpr std::size_t token_bytes_max = 8 * 1024;

// The three parts. The header is checked; the payload is decoded but not read, because it is not verified yet.
struct token_parts
{
    std::string_view signed_bytes; // "header.payload" as received
    std::string kid; // empty when the header has none
    std::string payload;
    std::string signature;
};
[[nodiscard]] result<token_parts, token_reason> read_token(std::string_view text);

// Whether a bearer token looks like one of Clerk's: three parts and not signed with a shared secret (HS256, HS384,
// HS512), or one of Clerk's opaque kinds. Strapi's API tokens and JWTs do not; a gateway request with one is accepted
// without an identity.
[[nodiscard]] bool claims_to_be_clerks(std::string_view text);

struct token_actor // impersonates the user
{
    std::string subject;
    std::optional<std::string> issuer;
    std::optional<std::string> session_id;
    std::optional<std::string> type; // "agent"
};

struct token_organization
{
    std::string id;
    std::optional<std::string> slug;
    std::optional<std::string> role; // without the org: prefix
    std::vector<std::string> permissions; // "feature:permission", without the org: prefix
};

// A profile from custom claims, for provisioning without Clerk's API. Its e-mail address counts as unverified.
struct token_profile
{
    std::optional<std::string> email;
    std::optional<std::string> username;
    std::optional<std::string> first_name;
    std::optional<std::string> last_name;
};

struct session_claims
{
    std::string clerk_id; // sub
    std::string session_id; // sid
    std::string issuer; // iss
    std::optional<std::string> authorized_party; // azp
    std::int64_t expires_at{0}; // the three times are in seconds since 1970
    std::int64_t issued_at{0};
    std::int64_t not_before{0};
    bool pending{false}; // sts is "pending"
    std::optional<token_actor> actor;
    std::optional<token_organization> organization; // from `o` (version 2) or the org_ claims (version 1)
    token_profile profile;
};
// For a verified payload. Checks the JSON and the type and range of every claim that is used.
[[nodiscard]] result<session_claims, token_reason> read_claims(std::string_view payload);

struct token_policy
{
    std::optional<std::string> issuer{}; // compared exactly; nothing: any https issuer
    std::set<std::string, std::less<>> authorized_parties{}; // empty: any
    std::chrono::seconds skew{5};
    std::chrono::seconds life_max{600};
};
// Nothing if the claims are valid at `now`.
[[nodiscard]] std::optional<token_reason> check_claims(
    session_claims const& claims, token_policy const& policy, std::chrono::system_clock::time_point now);

}
