#pragma once

// The story of a gateway's question: may this request pass to Strapi, and whose is it? The route says what is needed,
// auth-verify who asks; on the user routes the two must agree.
// On a route that is closed to impersonation nobody acts for somebody else (B14).

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
    std::optional<std::string_view> uri; // the client's; nothing: the gateway does not tell, or tells two
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

    [[nodiscard]] boost::asio::awaitable<auth_verdict> operator()(gateway_request const& request);

private:
    handle_auth_verify& verify_;
    impersonation_rule const& impersonation_;
};

}
