#pragma once

// A token's claims as they are written: what is there and of which kind. Nothing is judged here but the JSON itself,
// which is read once, strictly. session_claims.cpp makes sense of it.

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
    // In the order in which they win, for each part of the profile.
    std::array<std::optional<std::string>, 3> emails;
    std::optional<std::string> username;
    std::array<std::optional<std::string>, 2> first_names, last_names;
};

// Nothing: not one JSON object, a name twice, invalid UTF-8, deeper than 16 levels.
[[nodiscard]] std::optional<raw_claims> read_raw_claims(std::string_view payload);

}
