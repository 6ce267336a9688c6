#include "ingest/handle_gateway.hpp"

#include "ingest/gateway/route_rules.hpp"

#include <string>

namespace clerk_strapi::ingest
{
namespace
{

namespace asio = boost::asio;

auth_verdict pass_without_identity() { return {}; }
auth_verdict refuse(auth_refusal why) { return {why, std::nullopt, {}}; }

// Strapi's own tokens (API tokens, admin) are Strapi's to judge.
bool brings_clerks_token(presented_token const& token)
{
    return token.origin != token_origin::none && (token.ambiguous || claims_to_be_clerks(token.text));
}

}

asio::awaitable<auth_verdict> handle_gateway::operator()(gateway_request const& request)
{
    if (!request.uri) co_return refuse(auth_refusal::odd_request);
    auto const route = judge_route(request.method, *request.uri);
    switch (route.need) {
    case route_need::nothing: co_return pass_without_identity();
    case route_need::refused: co_return refuse(auth_refusal::odd_request);
    case route_need::anybody:
        if (!brings_clerks_token(request.auth.token)) co_return pass_without_identity();
        break;
    case route_need::signed_in:
    case route_need::owner: break;
    }
    auto verdict = co_await verify_(request.auth);
    if (verdict.refusal) co_return verdict;
    if (verdict.who.claims->actor && impersonation_.closes(*request.uri)) co_return refuse(auth_refusal::impersonated);
    if (route.need != route_need::owner) co_return verdict;
    if (std::to_string(verdict.who.user->id) != route.owner_id) co_return refuse(auth_refusal::not_owner);
    co_return verdict;
}

}
