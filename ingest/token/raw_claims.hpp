#pragma once

// A token's claims as written: which are present, and of which JSON type. The JSON is read once, strictly.
// session_claims.cpp checks the values.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace clerk_strapi::ingest
{

// A claim that should be a text. null counts as absent.
struct text_claim
{
    std::optional<std::string> text;
    bool other_kind{false};
};

struct actor_claim
{
    bool present{false};
    bool other_kind{false};
    text_claim subject, issuer, session_id, type;
};

struct compact_organization // `o` of version 2
{
    bool present{false};
    bool other_kind{false};
    text_claim id, slug, role, permissions, masks;
};

struct plain_organization // org_ claims of version 1
{
    text_claim id, slug, role;
    std::vector<std::string> permissions;
    bool bad_permissions{false};
};

struct raw_claims
{
    text_claim subject, session_id, issuer, authorized_party, status, features;
    std::optional<std::int64_t> expires_at, issued_at, not_before, version;
    actor_claim actor;
    compact_organization compact;
    plain_organization plain;
    // In the order of precedence: the first that is present is used.
    std::array<std::optional<std::string>, 3> emails;
    std::optional<std::string> username;
    std::array<std::optional<std::string>, 2> first_names, last_names;
};

// Nothing if the payload is not one JSON object, has a duplicate name or invalid UTF-8, or is deeper than 16 levels.
[[nodiscard]] std::optional<raw_claims> read_raw_claims(std::string_view payload);

}
