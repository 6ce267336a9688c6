#pragma once

// Profiles: one of each configured type per user. The name follows the user's name until a person edits it (I4, I10).

#include "worker/apply/batch_parts.hpp"

#include <vector>

namespace clerk_strapi::worker
{

// Creates missing profiles and renames the others. Sets `rows_differ` where it wrote.
void write_profiles(batch_context& context, std::vector<row_plan>& plans);

}
