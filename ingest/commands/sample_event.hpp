#pragma once

// A webhook body such as Clerk sends, for `clerk-ingest send`: to test a deployment without Clerk.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace clerk_strapi::ingest
{

struct sample_user
{
    std::string id;
    std::optional<std::string> email;
    bool verified{true};
    std::optional<std::string> username;
    std::optional<std::string> first_name;
    std::optional<std::string> last_name;
    bool banned{false};
    std::string public_metadata{"{}"}; // JSON
    std::int64_t updated_at{0}; // milliseconds
};

// `type` may be any text; user.deleted gets the short form of `data`.
[[nodiscard]] std::string sample_event(
    std::string_view type, sample_user const& user, std::string_view instance_id, std::int64_t timestamp_ms);

}
