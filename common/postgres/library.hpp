#pragma once

// The PostgreSQL client libraries in use.

#include "common/process/version_text.hpp"

#include <vector>

namespace clerk_strapi::postgres
{

// The version of libpq that is loaded, and of libpqxx at compile time.
[[nodiscard]] std::vector<library_version> libraries();

}
