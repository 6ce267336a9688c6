#pragma once

// The `outcome` label of clerk_ingest_verify_total.

#include <cstddef>
#include <string_view>

namespace clerk_strapi::ingest
{

enum class verify_outcome {
    allowed, // 200 with an identity
    anonymous, // 200 without an identity: a gateway's request without a Clerk token, where none is needed
    invalid, // 401
    expired, // 401: the client must get a new token from Clerk
    forbidden, // 403
    pending, // 503: the user is being provisioned
    unavailable, // 503
};
inline constexpr std::size_t verify_outcomes = 7;
[[nodiscard]] std::string_view to_string(verify_outcome outcome);

}
