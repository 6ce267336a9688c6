#pragma once

// The bodies of what auth-verify publishes about a user it has not met: the shape of a webhook's, so that one decoder
// reads all (schemas/README.md).

#include "ingest/token/session_token.hpp"

#include <chrono>
#include <string>
#include <string_view>

namespace clerk_strapi::ingest
{

inline constexpr std::string_view seen_type = "user.seen";
inline constexpr std::string_view snapshot_type = "user.snapshot";

// What the token's claims tell; the address counts as unverified, whatever the claims say.
[[nodiscard]] std::string seen_body(
    session_claims const& claims, std::string_view instance_id, std::chrono::system_clock::time_point now);

// `user` is the User object as Clerk's API sent it, taken over byte for byte; `asked_at` is when the request began.
[[nodiscard]] std::string snapshot_body(
    std::string_view user, std::string_view instance_id, std::chrono::system_clock::time_point asked_at);

}
