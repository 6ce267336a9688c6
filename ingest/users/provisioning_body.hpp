#pragma once

// The bodies of provisioning events. They have the shape of a webhook's body, so that the worker needs only one decoder
// (schemas/README.md).

#include "ingest/token/session_token.hpp"

#include <chrono>
#include <string>
#include <string_view>

namespace clerk_strapi::ingest
{

inline constexpr std::string_view user_seen_type = "user.seen";
inline constexpr std::string_view user_snapshot_type = "user.snapshot";

// The data of the token's claims. The e-mail address counts as unverified, whatever the claims say.
[[nodiscard]] std::string user_seen_body(
    session_claims const& claims, std::string_view instance_id, std::chrono::system_clock::time_point now);

// `user` is the User object as Clerk's API sent it, copied byte for byte; `asked_at` is the start of that request.
[[nodiscard]] std::string user_snapshot_body(
    std::string_view user, std::string_view instance_id, std::chrono::system_clock::time_point asked_at);

}
