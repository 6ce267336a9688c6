#pragma once

// What became of a question about a token: the `outcome` label of clerk_ingest_verify_total.

#include <cstddef>
#include <string_view>

namespace clerk_strapi::ingest
{

enum class verify_outcome {
    allowed, // with an identity
    anonymous, // a gateway's request without a token of Clerk's, where none is needed
    invalid, // 401
    expired, // 401: the client only has to ask Clerk for a fresh one
    forbidden, // 403
    pending, // 503: a first sight whose row is not there yet
    unavailable, // 503
};
inline constexpr std::size_t verify_outcomes = 7;
[[nodiscard]] std::string_view to_string(verify_outcome outcome);

}
