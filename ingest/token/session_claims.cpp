#include "common/event/envelope.hpp"
#include "ingest/token/organization_permissions.hpp"
#include "ingest/token/raw_claims.hpp"
#include "ingest/token/session_token.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace clerk_strapi::ingest
{
namespace
{

constexpr std::int64_t seconds_min = 1'000'000'000; // 2001: a smaller number is not a time in seconds
constexpr std::int64_t seconds_max = 100'000'000'000; // the year 5138: a token with a larger number would never expire
constexpr std::int64_t compact_version = 2;
constexpr std::size_t session_id_characters_max = 128;
constexpr std::string_view organization_prefix = "org:";

bool is_alphanumeric(std::string_view text)
{
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    });
}

bool is_time(std::optional<std::int64_t> seconds)
{
    return seconds && *seconds >= seconds_min && *seconds <= seconds_max;
}

bool is_session_id(std::string_view id)
{
    constexpr std::string_view prefix = "sess_";
    return id.starts_with(prefix) && id.size() <= session_id_characters_max
        && is_alphanumeric(id.substr(prefix.size()));
}

std::optional<token_reason> check_identity(raw_claims const& claims)
{
    auto const& subject = claims.subject.text;
    if (subject && subject->starts_with("mch_")) return token_reason::type_mismatch;
    if (!subject || !is_user_id(*subject) || !is_alphanumeric(std::string_view{*subject}.substr(5)))
        return token_reason::invalid;
    if (!claims.session_id.text || !is_session_id(*claims.session_id.text)) return token_reason::invalid;
    if (!claims.issuer.text) return token_reason::invalid_issuer;
    if (claims.authorized_party.other_kind) return token_reason::invalid_authorized_parties;
    if (!is_time(claims.expires_at) || !is_time(claims.issued_at) || !is_time(claims.not_before))
        return token_reason::invalid;
    if (claims.status.other_kind) return token_reason::invalid;
    return std::nullopt;
}

result<std::optional<token_actor>, token_reason> to_actor(actor_claim&& actor)
{
    if (!actor.present) return std::optional<token_actor>{};
    auto const bad = actor.other_kind || !actor.subject.text || actor.subject.text->empty() || actor.issuer.other_kind
        || actor.session_id.other_kind || actor.type.other_kind;
    if (bad) return token_reason::invalid; // impersonation by an unknown actor
    return std::optional{token_actor{.subject = std::move(*actor.subject.text),
        .issuer = std::move(actor.issuer.text),
        .session_id = std::move(actor.session_id.text),
        .type = std::move(actor.type.text)}};
}

std::string without_organization_prefix(std::string text)
{
    if (text.starts_with(organization_prefix)) text.erase(0, organization_prefix.size());
    return text;
}

using maybe_organization = result<std::optional<token_organization>, token_reason>;

maybe_organization to_organization(compact_organization&& compact, text_claim const& features)
{
    if (!compact.present) return std::optional<token_organization>{};
    auto const bad = compact.other_kind || !compact.id.text || compact.id.text->empty() || compact.slug.other_kind
        || compact.role.other_kind || compact.permissions.other_kind || compact.masks.other_kind || features.other_kind;
    if (bad) return token_reason::invalid;
    auto const text = [](text_claim const& claim) { return claim.text ? std::string_view{*claim.text} : ""; };
    auto permissions = expand_permissions(
        {.features = text(features), .names = text(compact.permissions), .masks = text(compact.masks)});
    return std::optional{token_organization{.id = std::move(*compact.id.text),
        .slug = std::move(compact.slug.text),
        .role = std::move(compact.role.text),
        .permissions = std::move(permissions)}};
}

maybe_organization to_organization(plain_organization&& plain)
{
    if (plain.id.other_kind) return token_reason::invalid;
    if (!plain.id.text) return std::optional<token_organization>{};
    if (plain.id.text->empty() || plain.slug.other_kind || plain.role.other_kind || plain.bad_permissions)
        return token_reason::invalid;
    for (auto& permission : plain.permissions)
        permission = without_organization_prefix(std::move(permission));
    if (plain.role.text) plain.role.text = without_organization_prefix(std::move(*plain.role.text));
    return std::optional{token_organization{.id = std::move(*plain.id.text),
        .slug = std::move(plain.slug.text),
        .role = std::move(plain.role.text),
        .permissions = std::move(plain.permissions)}};
}

template <std::size_t Count>
std::optional<std::string> first_of(std::array<std::optional<std::string>, Count>&& texts)
{
    auto const found = std::find_if(texts.begin(), texts.end(), [](auto const& text) { return text.has_value(); });
    return found == texts.end() ? std::nullopt : std::move(*found);
}

}

result<session_claims, token_reason> read_claims(std::string_view payload)
{
    auto read = read_raw_claims(payload);
    if (!read) return token_reason::invalid;
    auto& claims = *read;
    if (auto const reason = check_identity(claims)) return *reason;
    auto actor = to_actor(std::move(claims.actor));
    if (!actor) return actor.error();
    auto organization = claims.version == compact_version ? to_organization(std::move(claims.compact), claims.features)
                                                          : to_organization(std::move(claims.plain));
    if (!organization) return organization.error();
    return session_claims{.clerk_id = std::move(*claims.subject.text),
        .session_id = std::move(*claims.session_id.text),
        .issuer = std::move(*claims.issuer.text),
        .authorized_party = std::move(claims.authorized_party.text),
        .expires_at = *claims.expires_at,
        .issued_at = *claims.issued_at,
        .not_before = *claims.not_before,
        .pending = claims.status.text == "pending",
        .actor = std::move(*actor),
        .organization = std::move(*organization),
        .profile = {.email = first_of(std::move(claims.emails)),
            .username = std::move(claims.username),
            .first_name = first_of(std::move(claims.first_names)),
            .last_name = first_of(std::move(claims.last_names))}};
}

}
