#include "ingest/handle_gateway.hpp"

#include "ingest/gateway/route_rules.hpp"

#include <string>

namespace clerk_strapi::ingest
{
namespace
{

namespace asio = boost::asio;

auth_decision accept_without_identity() { return {}; }
auth_decision reject(auth_rejection why) { return {why, std::nullopt, {}}; }

// Strapi verifies its own tokens (API tokens, admin tokens).
bool has_clerk_token(presented_token const& token)
{
    return token.origin != token_origin::none && (token.ambiguous || claims_to_be_clerks(token.text));
}

}

asio::awaitable<auth_decision> handle_gateway::operator()(gateway_request const& request)
{
    if (!request.uri) co_return reject(auth_rejection::odd_request);
    auto const route = decide_route(request.method, *request.uri);
    switch (route.need) {
    case route_need::nothing: co_return accept_without_identity();
    case route_need::rejected: co_return reject(auth_rejection::odd_request);
    case route_need::optional_token:
        if (!has_clerk_token(request.auth.token)) co_return accept_without_identity();
        break;
    case route_need::signed_in:
    case route_need::owner: break;
    }
    auto decision = co_await verify_(request.auth);
    if (decision.rejection) co_return decision;
    if (decision.identity.claims->actor && impersonation_.closes(*request.uri))
        co_return reject(auth_rejection::impersonated);
    if (route.need != route_need::owner) co_return decision;
    if (std::to_string(decision.identity.user->id) != route.owner_id) co_return reject(auth_rejection::not_owner);
    co_return decision;
}

}
