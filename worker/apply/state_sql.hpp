#pragma once

// Statements on clerk_sync, the same for every site. strapi_sql has those on Strapi's tables.

#include "worker/apply/strapi_sql.hpp"

#include <vector>

namespace clerk_strapi::worker
{

[[nodiscard]] std::vector<statement> state_statements();

}
