#pragma once

// Decodes the parts of a user event's body that we use (Clerk's User object in webhooks and in the Backend API).
// Unknown members are accepted, because Clerk adds fields. Members that we do not use are checked for grammar only,
// because Clerk's published schema rejects values that real bodies have.

#include "common/event/user_event.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace clerk_strapi
{

// The members of the body as they are, before any decision.
struct clerk_user
{
    std::optional<std::string> username;
    std::optional<std::string> first_name;
    std::optional<std::string> last_name;
    std::optional<std::int64_t> created_at; // as in the body: seconds or milliseconds
    std::optional<std::int64_t> updated_at;
    bool banned{false};
    bool deprovisioned{false};
    std::vector<std::string> role_hints; // the texts of one member of public_metadata

    struct email_address
    {
        std::string id;
        std::string address;
        bool verified{false};
    };
    std::optional<email_address> primary; // the one that primary_email_address_id names
    std::optional<email_address> first_verified;
    std::optional<email_address> first;
};

struct clerk_event_body
{
    envelope head;
    clerk_user user; // empty for a deletion
};

// `role_key` names a member of public_metadata that holds a text or a list of texts; any other kind is skipped. Only
// public_metadata is read: private_metadata is private, and the user can write unsafe_metadata.
[[nodiscard]] result<clerk_event_body, envelope_fault> decode_clerk_event(
    std::string_view body, std::string_view role_key = {});

// The desired values of one user, before conflicts with other users are resolved. E-mail: the primary address, else the
// first verified one, else the first; lower-cased as Strapi does. Names: trimmed and joined by a space. An empty text
// counts as absent. U+0000, which PostgreSQL's text cannot hold, becomes U+FFFD.
[[nodiscard]] desired_values to_desired_values(clerk_user const& user);

// The desired values in which U+0000 was replaced.
[[nodiscard]] std::vector<mapped_field> values_replaced_in(clerk_user const& user);

}
