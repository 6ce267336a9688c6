#include "worker/core/value_claims.hpp"

#include <algorithm>
#include <numeric>
#include <unordered_map>

namespace clerk_strapi::worker
{

namespace
{

bool goes_first(value_claim const& a, value_claim const& b)
{
    if (a.email_verified != b.email_verified) return a.email_verified;
    if (a.version != b.version) return a.version > b.version;
    return a.clerk_id < b.clerk_id;
}

}

std::vector<claim_grant> settle_claims(std::vector<value_claim> const& claims,
    std::unordered_set<std::string> const& held_by_others, std::string_view placeholder_domain)
{
    std::vector<std::size_t> order(claims.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(), [&](auto a, auto b) { return goes_first(claims[a], claims[b]); });

    std::unordered_map<std::string, std::size_t> granted;
    std::vector<claim_grant> grants(claims.size());
    for (auto const i : order) {
        auto const& claim = claims[i];
        auto const take = [&](std::string const& value) {
            if (held_by_others.contains(value)) return false;
            return granted.try_emplace(value, i).first->second == i; // his own other field may hold it too
        };
        auto& grant = grants[i];
        grant.email_taken = !take(claim.wanted.email);
        grant.email = grant.email_taken ? placeholder_email(claim.clerk_id, placeholder_domain) : claim.wanted.email;
        grant.username_taken = !take(claim.wanted.username);
        grant.username =
            grant.username_taken ? placeholder_username(claim.clerk_id, claim.wanted.username) : claim.wanted.username;
    }
    return grants;
}

}
