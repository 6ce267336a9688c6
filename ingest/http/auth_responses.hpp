#pragma once

// From verdicts of auth-verify to answers. A refusal tells its class and no more; nothing of the token is echoed.

#include "common/http/message.hpp"
#include "ingest/gateway/headers.hpp"
#include "ingest/handle_auth_verify.hpp"

namespace clerk_strapi::ingest
{

// 200 with who it is, as JSON (schemas/openapi.yaml).
[[nodiscard]] http::response identity_answer(identity const& who);
// 200 without a body. Identity stands in headers; for Envoy, those that are not set are named for removal, so that
// what a client sent never gets through as ours.
[[nodiscard]] http::response gateway_answer(identity const& who, gateway_dialect dialect);
// 401, 403 or 503. `spread` is any number: it spreads retries over a few seconds.
[[nodiscard]] http::response refusal_answer(auth_verdict const& verdict, std::uint64_t spread);

}
