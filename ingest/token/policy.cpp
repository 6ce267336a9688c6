#include "ingest/token/session_token.hpp"

#include <algorithm>

namespace clerk_strapi::ingest
{
namespace
{

// Without a configured issuer: any https URL, as those of Clerk's Frontend API or of a proxy in front of it.
bool is_https_issuer(std::string_view issuer)
{
    constexpr std::string_view scheme = "https://";
    return issuer.starts_with(scheme) && issuer.size() > scheme.size() && !issuer.ends_with('/')
        && std::all_of(issuer.begin(), issuer.end(), [](char c) { return c > ' ' && c <= '~'; });
}

}

std::optional<token_reason> check_claims(
    session_claims const& claims, token_policy const& policy, std::chrono::system_clock::time_point now)
{
    using std::chrono::seconds;
    using std::chrono::sys_seconds;
    // Milliseconds, because a claim may lie in the year 5138, which overflows the clock's nanoseconds.
    auto const time = std::chrono::floor<std::chrono::milliseconds>(now);

    auto const is_our_issuer = policy.issuer ? claims.issuer == *policy.issuer : is_https_issuer(claims.issuer);
    if (!is_our_issuer) return token_reason::invalid_issuer;
    auto const& parties = policy.authorized_parties;
    if (!parties.empty() && (!claims.authorized_party || !parties.contains(*claims.authorized_party)))
        return token_reason::invalid_authorized_parties;
    if (sys_seconds{seconds{claims.expires_at}} <= time - policy.skew) return token_reason::expired;
    if (sys_seconds{seconds{claims.not_before}} > time + policy.skew) return token_reason::not_active_yet;
    if (sys_seconds{seconds{claims.issued_at}} > time + policy.skew) return token_reason::issued_in_the_future;
    if (seconds{claims.expires_at - claims.issued_at} > policy.life_max) return token_reason::invalid;
    if (claims.pending) return token_reason::pending;
    return std::nullopt;
}

}
