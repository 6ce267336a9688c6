#pragma once

// HTTP responses for webhooks and unknown requests. webhook/reject_reason has the status of each reason.

#include "common/http/message.hpp"
#include "ingest/handle_webhook.hpp"

namespace clerk_strapi::ingest
{

// `spread` is a random number that spreads retries over a few seconds.
[[nodiscard]] http::response response_to(webhook_decision const& decision, std::uint64_t spread);
[[nodiscard]] http::response not_found();
[[nodiscard]] http::response method_not_allowed(std::string allowed);

}
