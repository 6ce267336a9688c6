#pragma once

// Statements about our own tables, clerk_sync: the same for every site. The rest is strapi_sql's.

#include "worker/apply/strapi_sql.hpp"

#include <vector>

namespace clerk_strapi::worker
{

[[nodiscard]] std::vector<statement> state_statements();

}
