#pragma once

// The client libraries of PostgreSQL that the program runs with.

#include "common/process/version_text.hpp"

#include <vector>

namespace clerk_strapi::postgres
{

// libpq as it was loaded; libpqxx as it was compiled against.
[[nodiscard]] std::vector<library_version> libraries();

}
