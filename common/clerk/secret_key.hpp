#pragma once

// Clerk's secret key, whose file may be replaced while the program runs. When the file is missing or holds no key, the
// previous key stays in use, and that is logged once (F30).

#include "common/config/secret.hpp"

#include <functional>
#include <optional>
#include <string>

namespace clerk_strapi
{

// Returns the current key; called before each call of Clerk's API, from any thread. Without a file it is always
// `first`.
[[nodiscard]] std::function<secret()> follow_secret_key(secret first, std::optional<std::string> const& file);

}
