#pragma once

// Profiles: one of each configured type a user, whose name follows his until somebody edits it (I4, I10).

#include "worker/apply/batch_parts.hpp"

#include <vector>

namespace clerk_strapi::worker
{

// Makes what is missing and renames what follows; says in `rows_differ` where it did.
void write_profiles(batch_context& context, std::vector<row_plan>& plans);

}
