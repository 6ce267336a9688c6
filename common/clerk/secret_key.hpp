#pragma once

// Clerk's secret key, which may be replaced in its file while we run. What cannot be a key, or is not there for the
// moment, leaves the last one in force, and the log says so once (F30).

#include "common/config/secret.hpp"

#include <functional>
#include <optional>
#include <string>

namespace clerk_strapi
{

// The key in force, asked before each call of Clerk's API; may be called from any thread. No file: always `first`.
[[nodiscard]] std::function<secret()> follow_secret_key(secret first, std::optional<std::string> const& file);

}
