#pragma once

// Clerk's session tokens (JWT, RS256), judged more strictly than Clerk's own SDK does: ingest/README.md lists every
// difference. Pure; time and keys are arguments. The steps stand in the order in which reasons win: form and header,
// key, signature, then claims, so that a forged token costs as little as possible. Keeps I5.

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

// The three parts, header judged, payload decoded but not read: nothing in it may be believed yet.
struct token_parts
{
    std::string_view signed_bytes; // "header.payload" as received
    std::string kid; // empty when the header has none
    std::string payload;
    std::string signature;
};
[[nodiscard]] result<token_parts, token_reason> read_token(std::string_view text);

// Whether a bearer claims to be a session token of Clerk's at all: three parts, and not signed with a shared secret
// (HS256 and its sisters), or one of Clerk's own opaque kinds. Strapi's API tokens and JWTs are not; a gateway lets
// them through without an identity.
[[nodiscard]] bool claims_to_be_clerks(std::string_view text);

struct token_actor // somebody impersonates the user
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

// What custom claims tell of a person, for a first sight without Clerk's API. Never verified.
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
    std::int64_t expires_at{0}; // seconds since 1970, as all three
    std::int64_t issued_at{0};
    std::int64_t not_before{0};
    bool pending{false}; // sts
    std::optional<token_actor> actor;
    std::optional<token_organization> organization; // of v2's `o` or v1's org_ claims
    token_profile profile;
};
// Of a payload whose signature is good: strict JSON, kinds and ranges of every claim that we use.
[[nodiscard]] result<session_claims, token_reason> read_claims(std::string_view payload);

struct token_policy
{
    std::optional<std::string> issuer{}; // exact; nothing: any https issuer
    std::set<std::string, std::less<>> authorized_parties{}; // empty: any
    std::chrono::seconds skew{5};
    std::chrono::seconds life_max{600};
};
// Nothing: the claims are good now.
[[nodiscard]] std::optional<token_reason> refuse_claims(
    session_claims const& claims, token_policy const& policy, std::chrono::system_clock::time_point now);

}
