#pragma once

// Decides for a gateway whether a request may reach Strapi, and as which user. The route decides whether a token is
// needed; on /api/users/:id the token must belong to that user. A route that is closed to impersonation rejects tokens
// with an actor (B14).

#include "ingest/gateway/impersonation.hpp"
#include "ingest/handle_auth_verify.hpp"

#include <boost/asio/awaitable.hpp>

#include <optional>
#include <string_view>

namespace clerk_strapi::ingest
{

struct gateway_request
{
    std::string_view method; // the client's
    std::optional<std::string_view> uri; // the client's; nothing: the gateway sent none, or two different ones
    auth_request auth;
};

class handle_gateway
{
public:
    handle_gateway(handle_auth_verify& verify, impersonation_rule const& impersonation)
        : verify_{verify}
        , impersonation_{impersonation}
    {
    }

    [[nodiscard]] boost::asio::awaitable<auth_decision> operator()(gateway_request const& request);

private:
    handle_auth_verify& verify_;
    impersonation_rule const& impersonation_;
};

}
