#include "ingest/handle_auth_verify.hpp"

#include "common/event/sha256.hpp"
#include "common/event/trace_context.hpp"

namespace clerk_strapi::ingest
{
namespace
{

namespace asio = boost::asio;

constexpr std::size_t tokens_remembered = 8'192;

auth_verdict refuse(auth_refusal why) { return {why, std::nullopt, {}}; }
auth_verdict refuse(token_reason why) { return {auth_refusal::not_authenticated, why, {}}; }

std::optional<auth_verdict> refusal_for(key_outcome outcome)
{
    switch (outcome) {
    case key_outcome::found: return std::nullopt;
    case key_outcome::unknown: return refuse(token_reason::kid_mismatch);
    case key_outcome::unavailable: return refuse(auth_refusal::keys_unavailable);
    case key_outcome::not_configured: return refuse(auth_refusal::not_configured);
    }
    return refuse(auth_refusal::keys_unavailable);
}

auth_verdict verdict_for(introduction const& met, std::shared_ptr<session_claims const> claims)
{
    switch (met.outcome) {
    case introduction_outcome::arrived:
        if (met.user->blocked) return refuse(auth_refusal::blocked);
        return {std::nullopt, std::nullopt, {std::move(claims), met.user}};
    case introduction_outcome::deleted: return refuse(auth_refusal::deleted);
    case introduction_outcome::no_such_user: return refuse(auth_refusal::no_such_user);
    case introduction_outcome::pending: return refuse(auth_refusal::pending);
    case introduction_outcome::unavailable: return refuse(auth_refusal::user_unavailable);
    case introduction_outcome::overloaded: return refuse(auth_refusal::overloaded);
    }
    return refuse(auth_refusal::user_unavailable);
}

std::string cache_key(std::string_view token)
{
    auto const digest = sha256(token);
    return {reinterpret_cast<char const*>(digest.data()), digest.size()};
}

}

handle_auth_verify::handle_auth_verify(
    signing_keys& keys, user_directory& users, introduce_user& introduce, token_policy policy, clocks sources)
    : keys_{keys}
    , users_{users}
    , introduce_{introduce}
    , policy_{std::move(policy)}
    , sources_{std::move(sources)}
    , tokens_{tokens_remembered}
{
}

asio::awaitable<auth_verdict> handle_auth_verify::operator()(auth_request const& request)
{
    auto const& presented = request.token;
    if (presented.origin == token_origin::none) co_return refuse(token_reason::missing);
    if (presented.ambiguous) co_return refuse(token_reason::invalid);

    auto answer = co_await verify(presented.text);
    if (answer.refused) co_return *answer.refused;
    auto const& claims = *answer.token.claims;
    if (auto const reason = refuse_claims(claims, policy_, sources_.wall())) co_return refuse(*reason);
    if (is_foreign_origin(request, claims)) co_return refuse(token_reason::invalid_authorized_parties);

    auto const user = co_await users_.find(claims.clerk_id);
    switch (user.outcome) {
    case user_outcome::found:
        if (user.user->blocked) co_return refuse(auth_refusal::blocked);
        co_return auth_verdict{std::nullopt, std::nullopt, {std::move(answer.token.claims), user.user}};
    case user_outcome::deleted: co_return refuse(auth_refusal::deleted);
    case user_outcome::unavailable: co_return refuse(auth_refusal::user_unavailable);
    case user_outcome::absent: break;
    }
    auto verdict = co_await meet(std::move(answer.token), request.traceparent);
    co_return verdict;
}

// A token that was good once is good until it expires, as long as its key is still in force.
asio::awaitable<handle_auth_verify::token_answer> handle_auth_verify::verify(std::string_view text)
{
    if (text.size() > token_bytes_max) co_return token_answer{refuse(token_reason::too_large), {}};
    auto const key = cache_key(text);
    if (auto const* const known = tokens_.find(key)) {
        auto token = *known; // the cache may change while we wait
        auto const in_force = co_await keys_.find(token.kid);
        co_return token_answer{refusal_for(in_force.outcome), std::move(token)};
    }
    auto answer = co_await verify_signature(text);
    if (!answer.refused) tokens_.put(key, answer.token);
    co_return answer;
}

asio::awaitable<handle_auth_verify::token_answer> handle_auth_verify::verify_signature(std::string_view text)
{
    auto const parts = read_token(text);
    if (!parts) co_return token_answer{refuse(parts.error()), {}};
    auto const key = co_await keys_.find(parts->kid);
    if (auto refused = refusal_for(key.outcome)) co_return token_answer{std::move(refused), {}};
    if (!key.key->verifies(parts->signed_bytes, parts->signature))
        co_return token_answer{refuse(token_reason::invalid_signature), {}};
    auto claims = read_claims(parts->payload);
    if (!claims) co_return token_answer{refuse(claims.error()), {}};
    co_return token_answer{std::nullopt, {parts->kid, std::make_shared<session_claims const>(std::move(*claims))}};
}

// Takes the token by value: it stays ours while others push it out of the cache.
asio::awaitable<auth_verdict> handle_auth_verify::meet(known_token token, std::string_view traceparent)
{
    auto const trace = is_traceparent(traceparent)
        ? std::string{traceparent}
        : make_traceparent({sources_.random(), sources_.random(), sources_.random()});
    auto const met = co_await introduce_(*token.claims, token.kid, trace);
    co_return verdict_for(met, std::move(token.claims));
}

// A browser sends cookies along with what other sites make it ask. The origin must be one that the token was made for.
bool handle_auth_verify::is_foreign_origin(auth_request const& request, session_claims const& claims) const
{
    if (request.token.origin != token_origin::cookie || !request.origin) return false;
    if (!policy_.authorized_parties.empty()) return !policy_.authorized_parties.contains(*request.origin);
    return claims.authorized_party && *claims.authorized_party != *request.origin;
}

std::string_view to_string(auth_refusal refusal)
{
    switch (refusal) {
    case auth_refusal::not_authenticated: return "not_authenticated";
    case auth_refusal::no_such_user: return "no_such_user";
    case auth_refusal::blocked: return "blocked";
    case auth_refusal::deleted: return "deleted";
    case auth_refusal::not_owner: return "not_owner";
    case auth_refusal::impersonated: return "impersonated";
    case auth_refusal::odd_request: return "odd_request";
    case auth_refusal::not_configured: return "not_configured";
    case auth_refusal::keys_unavailable: return "keys_unavailable";
    case auth_refusal::user_unavailable: return "user_unavailable";
    case auth_refusal::pending: return "pending";
    case auth_refusal::overloaded: return "overloaded";
    }
    return "user_unavailable";
}

verify_outcome outcome_of(auth_verdict const& verdict)
{
    if (!verdict.refusal) return verdict.who.user ? verify_outcome::allowed : verify_outcome::anonymous;
    switch (*verdict.refusal) {
    case auth_refusal::not_authenticated:
        return verdict.reason == token_reason::expired ? verify_outcome::expired : verify_outcome::invalid;
    case auth_refusal::no_such_user: return verify_outcome::invalid;
    case auth_refusal::blocked:
    case auth_refusal::deleted:
    case auth_refusal::not_owner:
    case auth_refusal::impersonated:
    case auth_refusal::odd_request: return verify_outcome::forbidden;
    case auth_refusal::pending: return verify_outcome::pending;
    case auth_refusal::not_configured:
    case auth_refusal::keys_unavailable:
    case auth_refusal::user_unavailable:
    case auth_refusal::overloaded: return verify_outcome::unavailable;
    }
    return verify_outcome::unavailable;
}

}
