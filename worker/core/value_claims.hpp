#pragma once

// E-mails and usernames are unique among Strapi's users by Strapi's own test: a value may stand in neither field of
// anybody else. Nothing in its database enforces that, so this decides who of a batch gets what he asks for. Pure.

#include "common/core/user_event.hpp"
#include "worker/core/strapi_mapping.hpp"

#include <string>
#include <unordered_set>
#include <vector>

namespace clerk_strapi::worker
{

struct value_claim
{
    std::string clerk_id;
    strapi_values wanted;
    bool email_verified{false};
    event_version version;
};

struct claim_grant
{
    std::string email;
    std::string username;
    bool email_taken{false}; // somebody else has it: the placeholder was given
    bool username_taken{false};
};

// Verified before unverified, then the newer version, then the smaller Clerk id. `held_by_others` are the values
// of Strapi's rows outside this batch: who has one keeps it. One grant a claim, in the claims' order.
[[nodiscard]] std::vector<claim_grant> settle_claims(std::vector<value_claim> const& claims,
    std::unordered_set<std::string> const& held_by_others, std::string_view placeholder_domain);

}
