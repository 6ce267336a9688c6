#pragma once

// A user event as the worker judges it: whose it is, how new it is, and what the user asks for.

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

// Which of two events of one user is newer: compared as a tuple, strictly, so that events of the same
// millisecond have an order that does not depend on arrival.
struct event_version
{
    std::int64_t updated_at_ms{0}; // Clerk's data.updated_at
    std::int64_t event_ms{0}; // the envelope's timestamp; for a snapshot the start of the request
    std::string event_id; // the svix-id; empty for a snapshot
    sha256_digest body_hash{};

    friend auto operator<=>(event_version const&, event_version const&) = default;
};

// What a Clerk user wants of Strapi's row. A function of one event, of nothing else.
struct user_wishes
{
    std::optional<std::string> email; // lower-cased, as Strapi stores it
    bool email_verified{false};
    std::optional<std::string> username;
    std::optional<std::string> full_name;
    bool banned{false};
    std::int64_t created_at_ms{0};
    std::vector<std::string> role_hints; // texts under the configured member of public_metadata, as Clerk sent them

    friend bool operator==(user_wishes const&, user_wishes const&) = default;
};

// The columns that a Clerk user's own texts go to.
enum class mapped_field { email, username, full_name };
[[nodiscard]] std::string_view to_string(mapped_field field);

struct user_event
{
    event_kind kind{event_kind::updated};
    std::string clerk_id;
    event_version version;
    user_wishes wishes; // meaningless for a deletion
    std::vector<mapped_field> replaced{}; // wishes that are not what Clerk sent: U+0000 became U+FFFD in them
};

}
