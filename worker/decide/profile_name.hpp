#pragma once

// A friendly profile name for a user without a name, e.g. "SwiftTiger4821". Derived from the Clerk id, so that a
// rebuild results in the same name.

#include <string>
#include <string_view>

namespace clerk_strapi::worker
{

[[nodiscard]] std::string generated_profile_name(std::string_view clerk_id);

}
