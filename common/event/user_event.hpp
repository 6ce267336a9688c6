#pragma once

// A user event as the worker decides about it: the user, the version, and the desired values.

#include "common/event/envelope.hpp"
#include "common/event/sha256.hpp"

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace clerk_strapi
{

// The newer of two events of one user has the higher version. Compared as a tuple, so that the order of two events of
// the same millisecond does not depend on their arrival.
struct event_version
{
    std::int64_t updated_at_ms{0}; // Clerk's data.updated_at
    std::int64_t event_ms{0}; // the envelope's timestamp; of a snapshot, the start of the request
    std::string event_id; // the svix-id; empty for a snapshot
    sha256_digest body_hash{};

    friend auto operator<=>(event_version const&, event_version const&) = default;
};

// The desired values of a Clerk user's row in Strapi. They depend on one event only.
struct desired_values
{
    std::optional<std::string> email; // lower-cased, as Strapi stores it
    bool email_verified{false};
    std::optional<std::string> username;
    std::optional<std::string> full_name;
    bool banned{false};
    std::int64_t created_at_ms{0};
    std::vector<std::string> role_hints; // texts under the configured member of public_metadata, as Clerk sent them

    friend bool operator==(desired_values const&, desired_values const&) = default;
};

// The columns that hold a Clerk user's own texts.
enum class mapped_field { email, username, full_name };
[[nodiscard]] std::string_view to_string(mapped_field field);

struct user_event
{
    event_kind kind{event_kind::updated};
    std::string clerk_id;
    event_version version;
    desired_values desired; // the desired values; unused for a deletion
    std::vector<mapped_field> replaced{}; // the desired values in which U+0000 became U+FFFD
};

}
