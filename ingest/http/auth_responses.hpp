#pragma once

// HTTP responses for the decisions about tokens. A rejection names only its class; no part of the token is echoed.

#include "common/http/message.hpp"
#include "ingest/gateway/headers.hpp"
#include "ingest/handle_auth_verify.hpp"

namespace clerk_strapi::ingest
{

// 200 with the identity as JSON (schemas/openapi.yaml).
[[nodiscard]] http::response identity_response(verified_identity const& identity);
// 200 without a body. The identity is in headers. For Envoy the response lists the headers that are not set, so that
// Envoy removes a client's own header of that name.
[[nodiscard]] http::response gateway_response(verified_identity const& identity, gateway_dialect dialect);
// 401, 403 or 503. `spread` is a random number that spreads retries over a few seconds.
[[nodiscard]] http::response rejection_response(auth_decision const& decision, std::uint64_t spread);

}
