#pragma once

// Decodes the parts of a user event's body that we use (Clerk's User object, webhooks and Backend API).
// Unknown members are allowed, members we do not use are only checked for grammar: Clerk adds fields, and its
// published schema refuses values that real payloads carry.

#include "common/event/user_event.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace clerk_strapi
{

// What stands in the body, before anything is decided about it.
struct clerk_user
{
    std::optional<std::string> username;
    std::optional<std::string> first_name;
    std::optional<std::string> last_name;
    std::optional<std::int64_t> created_at; // as written: seconds or milliseconds
    std::optional<std::int64_t> updated_at;
    bool banned{false};
    bool deprovisioned{false};
    std::vector<std::string> role_hints; // of public_metadata, the texts under one member

    struct email_address
    {
        std::string id;
        std::string address;
        bool verified{false};
    };
    std::optional<email_address> primary; // the one primary_email_address_id points to
    std::optional<email_address> first_verified;
    std::optional<email_address> first;
};

struct clerk_event_body
{
    envelope head;
    clerk_user user; // empty for a deletion
};

// `role_key` names a member of public_metadata that holds a text or a list of texts; anything else there is no hint.
// Only public_metadata: the other two kinds are private, or for the user himself to write.
[[nodiscard]] result<clerk_event_body, envelope_fault> decode_clerk_event(
    std::string_view body, std::string_view role_key = {});

// Design's mapping, the part that needs no other user: primary address, else the first verified, else the
// first; lower-cased in ASCII as Strapi does for addresses; names trimmed, joined by a space; blank is none.
// U+0000, which PostgreSQL's text cannot hold, becomes U+FFFD.
[[nodiscard]] user_wishes to_wishes(clerk_user const& user);

// The wishes in which it did. Texts that are nobody's wish, metadata and further addresses, do not count.
[[nodiscard]] std::vector<mapped_field> replaced_in_wishes(clerk_user const& user);

}
