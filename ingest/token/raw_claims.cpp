#include "ingest/token/raw_claims.hpp"

#include "common/event/json_reader.hpp"

#include <utility>

namespace clerk_strapi::ingest
{
namespace
{

constexpr int depth_max = 16;

text_claim text(json_reader& reader)
{
    auto const kind = reader.peek();
    return {.text = reader.string(), .other_kind = kind != json_kind::string && kind != json_kind::null};
}

// Calls on_member for each member of an object. Skips null; notes any other kind in claim.other_kind.
template <class Claim, class OnMember>
void read_object(json_reader& reader, Claim& claim, OnMember&& on_member)
{
    claim.present = reader.peek() != json_kind::null;
    claim.other_kind = claim.present && reader.peek() != json_kind::object;
    if (!claim.present || claim.other_kind) {
        reader.skip();
        return;
    }
    reader.object([&](std::string_view name) {
        on_member(name);
        return true;
    });
}

void read_actor(json_reader& reader, actor_claim& actor)
{
    read_object(reader, actor, [&](std::string_view name) {
        if (name == "sub")
            actor.subject = text(reader);
        else if (name == "iss")
            actor.issuer = text(reader);
        else if (name == "sid")
            actor.session_id = text(reader);
        else if (name == "type")
            actor.type = text(reader);
        else
            reader.skip();
    });
}

void read_compact_organization(json_reader& reader, compact_organization& organization)
{
    read_object(reader, organization, [&](std::string_view name) {
        if (name == "id")
            organization.id = text(reader);
        else if (name == "slg")
            organization.slug = text(reader);
        else if (name == "rol")
            organization.role = text(reader);
        else if (name == "per")
            organization.permissions = text(reader);
        else if (name == "fpm")
            organization.masks = text(reader);
        else
            reader.skip();
    });
}

void read_plain_permissions(json_reader& reader, plain_organization& organization)
{
    if (reader.peek() != json_kind::array) {
        organization.bad_permissions = reader.peek() != json_kind::null;
        reader.skip();
        return;
    }
    reader.array([&] {
        auto permission = reader.string();
        if (permission)
            organization.permissions.push_back(std::move(*permission));
        else
            organization.bad_permissions = true;
        return true;
    });
}

bool read_organization_claim(json_reader& reader, std::string_view name, raw_claims& claims)
{
    if (name == "v")
        claims.version = reader.integer();
    else if (name == "o")
        read_compact_organization(reader, claims.compact);
    else if (name == "fea")
        claims.features = text(reader);
    else if (name == "org_id")
        claims.plain.id = text(reader);
    else if (name == "org_slug")
        claims.plain.slug = text(reader);
    else if (name == "org_role")
        claims.plain.role = text(reader);
    else if (name == "org_permissions")
        read_plain_permissions(reader, claims.plain);
    else
        return false;
    return true;
}

// Custom claims: their author may use any JSON type, so a claim that is not a text counts as absent.
bool read_profile_claim(json_reader& reader, std::string_view name, raw_claims& claims)
{
    auto const read = [&reader] {
        auto text = reader.string();
        return text && !text->empty() ? std::move(text) : std::nullopt;
    };
    if (name == "email")
        claims.emails[0] = read();
    else if (name == "email_address")
        claims.emails[1] = read();
    else if (name == "primary_email_address")
        claims.emails[2] = read();
    else if (name == "username")
        claims.username = read();
    else if (name == "first_name")
        claims.first_names[0] = read();
    else if (name == "given_name")
        claims.first_names[1] = read();
    else if (name == "last_name")
        claims.last_names[0] = read();
    else if (name == "family_name")
        claims.last_names[1] = read();
    else
        return false;
    return true;
}

void read_claim(json_reader& reader, std::string_view name, raw_claims& claims)
{
    if (name == "sub")
        claims.subject = text(reader);
    else if (name == "sid")
        claims.session_id = text(reader);
    else if (name == "iss")
        claims.issuer = text(reader);
    else if (name == "azp")
        claims.authorized_party = text(reader);
    else if (name == "sts")
        claims.status = text(reader);
    else if (name == "exp")
        claims.expires_at = reader.integer();
    else if (name == "iat")
        claims.issued_at = reader.integer();
    else if (name == "nbf")
        claims.not_before = reader.integer();
    else if (name == "act")
        read_actor(reader, claims.actor);
    else if (!read_organization_claim(reader, name, claims) && !read_profile_claim(reader, name, claims))
        reader.skip();
}

}

std::optional<raw_claims> read_raw_claims(std::string_view payload)
{
    json_reader reader{payload, depth_max};
    if (reader.peek() != json_kind::object) return std::nullopt;
    raw_claims claims;
    reader.object([&](std::string_view name) {
        read_claim(reader, name, claims);
        return true;
    });
    if (!reader.finish()) return std::nullopt;
    return claims;
}

}
