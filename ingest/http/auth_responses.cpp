#include "ingest/http/auth_responses.hpp"

#include "common/event/json_text.hpp"

#include <algorithm>
#include <array>

namespace clerk_strapi::ingest
{
namespace
{

constexpr std::uint64_t retry_after_seconds_max = 3;

constexpr std::string_view clerk_user_header = "X-Clerk-User-Id";
constexpr std::string_view session_header = "X-Clerk-Session-Id";
constexpr std::string_view strapi_user_header = "X-Strapi-User-Id";
constexpr std::string_view role_header = "X-Strapi-User-Role";

class json_object
{
public:
    explicit json_object(std::string& out)
        : out_{out}
    {
        out_ += '{';
    }
    ~json_object() { out_ += '}'; }
    json_object(json_object const&) = delete;
    json_object& operator=(json_object const&) = delete;

    std::string& name(std::string_view name)
    {
        if (!first_) out_ += ',';
        first_ = false;
        out_ += '"';
        out_ += name;
        out_ += "\":";
        return out_;
    }
    void text(std::string_view member, std::string_view value) { append_json_string(name(member), value); }
    void text(std::string_view member, std::optional<std::string> const& value)
    {
        if (value) text(member, std::string_view{*value});
    }
    void number(std::string_view member, std::int64_t value) { name(member) += std::to_string(value); }
    void flag(std::string_view member, bool value) { name(member) += value ? "true" : "false"; }

private:
    std::string& out_;
    bool first_{true};
};

void append_actor(std::string& out, token_actor const& actor)
{
    json_object object{out};
    object.text("sub", std::string_view{actor.subject});
    object.text("iss", actor.issuer);
    object.text("sid", actor.session_id);
    object.text("type", actor.type);
}

void append_organization(std::string& out, token_organization const& organization)
{
    json_object object{out};
    object.text("id", std::string_view{organization.id});
    object.text("slug", organization.slug);
    object.text("role", organization.role);
    auto& list = object.name("permissions");
    list += '[';
    for (auto const& permission : organization.permissions) {
        if (list.back() != '[') list += ',';
        append_json_string(list, permission);
    }
    list += ']';
}

void append_user(std::string& out, strapi_user const& user)
{
    json_object object{out};
    object.number("id", user.id);
    object.text("documentId", std::string_view{user.document_id});
    object.text("username", std::string_view{user.username});
    object.text("email", std::string_view{user.email});
    object.flag("confirmed", user.confirmed);
    object.flag("blocked", user.blocked);
    if (!user.role) {
        object.name("role") += "null";
        return;
    }
    json_object role{object.name("role")};
    role.number("id", user.role->id);
    role.text("type", std::string_view{user.role->type});
    role.text("name", std::string_view{user.role->name});
}

void forbid_caching(http::response& response) { response.headers.emplace_back("Cache-Control", "no-store"); }

bool is_header_text(std::string_view text)
{
    return !text.empty() && text.size() <= 255
        && std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

struct rejection_row
{
    unsigned status;
    std::string_view problem;
    std::string_view title;
};

rejection_row describe(auth_decision const& decision)
{
    // clang-format off
    switch (*decision.rejection) {
    case auth_rejection::not_authenticated:
        if (decision.reason == token_reason::expired) return {401, "expired_token", "The session token has expired"};
        if (decision.reason == token_reason::missing) return {401, "missing_token", "A session token is required"};
        return {401, "invalid_token", "The session token is not valid"};
    case auth_rejection::no_such_user: return {401, "invalid_token", "The session token is not valid"};
    case auth_rejection::blocked: return {403, "user_blocked", "The user is blocked"};
    case auth_rejection::deleted: return {403, "user_deleted", "The user was deleted"};
    case auth_rejection::not_owner: return {403, "not_owner", "The user data belongs to another user"};
    case auth_rejection::impersonated: return {403, "impersonated", "Impersonation is not allowed on this route"};
    case auth_rejection::odd_request: return {403, "odd_request", "The request's path is missing or ambiguous"};
    case auth_rejection::not_configured: return {503, "not_configured", "Session token verification is not configured"};
    case auth_rejection::keys_unavailable: return {503, "unavailable", "Signing keys are temporarily unavailable"};
    case auth_rejection::user_unavailable: return {503, "unavailable", "The user is temporarily unavailable; try again"};
    case auth_rejection::pending: return {503, "pending", "The user is being created; try again"};
    case auth_rejection::overloaded: return {503, "overloaded", "Too many requests are waiting; try again"};
    }
    // clang-format on
    return {503, "unavailable", "The user is temporarily unavailable; try again"};
}

}

http::response identity_response(verified_identity const& identity)
{
    http::response response;
    {
        json_object object{response.body};
        object.text("clerkId", std::string_view{identity.claims->clerk_id});
        object.text("sessionId", std::string_view{identity.claims->session_id});
        object.number("expiresAt", identity.claims->expires_at);
        if (identity.claims->actor) append_actor(object.name("actor"), *identity.claims->actor);
        if (identity.claims->organization)
            append_organization(object.name("organization"), *identity.claims->organization);
        append_user(object.name("user"), *identity.user);
    }
    forbid_caching(response);
    return response;
}

http::response gateway_response(verified_identity const& identity, gateway_dialect dialect)
{
    http::response response;
    std::string absent;
    auto const set = [&](std::string_view name, std::string value) {
        if (is_header_text(value)) return static_cast<void>(response.headers.emplace_back(name, std::move(value)));
        absent += (absent.empty() ? "" : ", ") + std::string{name};
    };
    set(clerk_user_header, identity.claims ? identity.claims->clerk_id : "");
    set(session_header, identity.claims ? identity.claims->session_id : "");
    set(strapi_user_header, identity.user ? std::to_string(identity.user->id) : "");
    set(role_header, identity.user && identity.user->role ? identity.user->role->type : "");
    if (dialect == gateway_dialect::envoy && !absent.empty())
        response.headers.emplace_back("X-Envoy-Auth-Headers-To-Remove", absent);
    forbid_caching(response);
    return response;
}

http::response rejection_response(auth_decision const& decision, std::uint64_t spread)
{
    auto const row = describe(decision);
    auto response = http::problem(row.status, row.problem, row.title);
    if (row.status == 401) response.headers.emplace_back("WWW-Authenticate", R"(Bearer error="invalid_token")");
    if (row.status == 503)
        response.headers.emplace_back("Retry-After", std::to_string(1 + spread % retry_after_seconds_max));
    forbid_caching(response);
    return response;
}

}
