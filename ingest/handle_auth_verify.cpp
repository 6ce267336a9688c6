#include "ingest/handle_auth_verify.hpp"

#include "common/event/sha256.hpp"
#include "common/event/trace_context.hpp"

namespace clerk_strapi::ingest
{
namespace
{

namespace asio = boost::asio;

constexpr std::size_t cached_tokens_max = 8'192;

auth_decision reject(auth_rejection why) { return {why, std::nullopt, {}}; }
auth_decision reject(token_reason why) { return {auth_rejection::not_authenticated, why, {}}; }

std::optional<auth_decision> rejection_for(key_outcome outcome)
{
    switch (outcome) {
    case key_outcome::found: return std::nullopt;
    case key_outcome::unknown: return reject(token_reason::kid_mismatch);
    case key_outcome::unavailable: return reject(auth_rejection::keys_unavailable);
    case key_outcome::not_configured: return reject(auth_rejection::not_configured);
    }
    return reject(auth_rejection::keys_unavailable);
}

auth_decision decision_for(provisioning_result const& provisioned, std::shared_ptr<session_claims const> claims)
{
    switch (provisioned.outcome) {
    case provisioning_outcome::provisioned:
        if (provisioned.user->blocked) return reject(auth_rejection::blocked);
        return {std::nullopt, std::nullopt, {std::move(claims), provisioned.user}};
    case provisioning_outcome::deleted: return reject(auth_rejection::deleted);
    case provisioning_outcome::no_such_user: return reject(auth_rejection::no_such_user);
    case provisioning_outcome::pending: return reject(auth_rejection::pending);
    case provisioning_outcome::unavailable: return reject(auth_rejection::user_unavailable);
    case provisioning_outcome::overloaded: return reject(auth_rejection::overloaded);
    }
    return reject(auth_rejection::user_unavailable);
}

std::string cache_key(std::string_view token)
{
    auto const digest = sha256(token);
    return {reinterpret_cast<char const*>(digest.data()), digest.size()};
}

}

handle_auth_verify::handle_auth_verify(
    signing_keys& keys, user_directory& users, provision_user& provision, token_policy policy, clocks sources)
    : keys_{keys}
    , users_{users}
    , provision_{provision}
    , policy_{std::move(policy)}
    , sources_{std::move(sources)}
    , tokens_{cached_tokens_max}
{
}

asio::awaitable<auth_decision> handle_auth_verify::operator()(auth_request const& request)
{
    auto const& presented = request.token;
    if (presented.origin == token_origin::none) co_return reject(token_reason::missing);
    if (presented.ambiguous) co_return reject(token_reason::invalid);

    auto answer = co_await verify(presented.text);
    if (answer.rejected) co_return *answer.rejected;
    auto const& claims = *answer.token.claims;
    if (auto const reason = check_claims(claims, policy_, sources_.wall())) co_return reject(*reason);
    if (is_foreign_origin(request, claims)) co_return reject(token_reason::invalid_authorized_parties);

    auto const user = co_await users_.find(claims.clerk_id);
    switch (user.outcome) {
    case user_outcome::found:
        if (user.user->blocked) co_return reject(auth_rejection::blocked);
        co_return auth_decision{std::nullopt, std::nullopt, {std::move(answer.token.claims), user.user}};
    case user_outcome::deleted: co_return reject(auth_rejection::deleted);
    case user_outcome::unavailable: co_return reject(auth_rejection::user_unavailable);
    case user_outcome::absent: break;
    }
    auto decision = co_await provision(std::move(answer.token), request.traceparent);
    co_return decision;
}

// A verified signature stays valid as long as its key is in force, so a cached token skips the RSA computation.
asio::awaitable<handle_auth_verify::token_answer> handle_auth_verify::verify(std::string_view text)
{
    if (text.size() > token_bytes_max) co_return token_answer{reject(token_reason::too_large), {}};
    auto const key = cache_key(text);
    if (auto const* const known = tokens_.find(key)) {
        auto token = *known; // a copy: the cache may change during the wait
        auto const in_force = co_await keys_.find(token.kid);
        co_return token_answer{rejection_for(in_force.outcome), std::move(token)};
    }
    auto answer = co_await verify_signature(text);
    if (!answer.rejected) tokens_.put(key, answer.token);
    co_return answer;
}

asio::awaitable<handle_auth_verify::token_answer> handle_auth_verify::verify_signature(std::string_view text)
{
    auto const parts = read_token(text);
    if (!parts) co_return token_answer{reject(parts.error()), {}};
    auto const key = co_await keys_.find(parts->kid);
    if (auto rejected = rejection_for(key.outcome)) co_return token_answer{std::move(rejected), {}};
    if (!key.key->verifies(parts->signed_bytes, parts->signature))
        co_return token_answer{reject(token_reason::invalid_signature), {}};
    auto claims = read_claims(parts->payload);
    if (!claims) co_return token_answer{reject(claims.error()), {}};
    co_return token_answer{std::nullopt, {parts->kid, std::make_shared<session_claims const>(std::move(*claims))}};
}

// Takes the token by value, because the cache may evict it during the wait.
asio::awaitable<auth_decision> handle_auth_verify::provision(known_token token, std::string_view traceparent)
{
    auto const trace = is_traceparent(traceparent)
        ? std::string{traceparent}
        : make_traceparent({sources_.random(), sources_.random(), sources_.random()});
    auto const provisioned = co_await provision_(*token.claims, token.kid, trace);
    co_return decision_for(provisioned, std::move(token.claims));
}

// A browser also sends cookies with requests that another site triggers. So the request's origin must be one for which
// the token was issued.
bool handle_auth_verify::is_foreign_origin(auth_request const& request, session_claims const& claims) const
{
    if (request.token.origin != token_origin::cookie || !request.origin) return false;
    if (!policy_.authorized_parties.empty()) return !policy_.authorized_parties.contains(*request.origin);
    return claims.authorized_party && *claims.authorized_party != *request.origin;
}

std::string_view to_string(auth_rejection rejection)
{
    switch (rejection) {
    case auth_rejection::not_authenticated: return "not_authenticated";
    case auth_rejection::no_such_user: return "no_such_user";
    case auth_rejection::blocked: return "blocked";
    case auth_rejection::deleted: return "deleted";
    case auth_rejection::not_owner: return "not_owner";
    case auth_rejection::impersonated: return "impersonated";
    case auth_rejection::odd_request: return "odd_request";
    case auth_rejection::not_configured: return "not_configured";
    case auth_rejection::keys_unavailable: return "keys_unavailable";
    case auth_rejection::user_unavailable: return "user_unavailable";
    case auth_rejection::pending: return "pending";
    case auth_rejection::overloaded: return "overloaded";
    }
    return "user_unavailable";
}

verify_outcome outcome_of(auth_decision const& decision)
{
    if (!decision.rejection) return decision.identity.user ? verify_outcome::allowed : verify_outcome::anonymous;
    switch (*decision.rejection) {
    case auth_rejection::not_authenticated:
        return decision.reason == token_reason::expired ? verify_outcome::expired : verify_outcome::invalid;
    case auth_rejection::no_such_user: return verify_outcome::invalid;
    case auth_rejection::blocked:
    case auth_rejection::deleted:
    case auth_rejection::not_owner:
    case auth_rejection::impersonated:
    case auth_rejection::odd_request: return verify_outcome::forbidden;
    case auth_rejection::pending: return verify_outcome::pending;
    case auth_rejection::not_configured:
    case auth_rejection::keys_unavailable:
    case auth_rejection::user_unavailable:
    case auth_rejection::overloaded: return verify_outcome::unavailable;
    }
    return verify_outcome::unavailable;
}

}
