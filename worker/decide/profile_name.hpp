#pragma once

// A friendly name for a profile whose user has none, e.g. "SwiftTiger4821". Derived from the Clerk id: the same
// user gets the same name again after a rebuild.

#include <string>
#include <string_view>

namespace clerk_strapi::worker
{

[[nodiscard]] std::string generated_profile_name(std::string_view clerk_id);

}
