#pragma once

// Strapi's document ids: 24 characters, a-z first, then a-z and 0-9 (the format of cuid2). The worker
// derives them from the Clerk id, so that a rebuild results in the same ids.

#include <string>
#include <string_view>

namespace clerk_strapi::worker
{

[[nodiscard]] std::string user_document_id(std::string_view clerk_id);

// `content_type` is Strapi's uid, e.g. api::user-profile.user-profile.
[[nodiscard]] std::string profile_document_id(std::string_view clerk_id, std::string_view content_type);

}
