#pragma once

// From verdicts to answers. The statuses themselves stand in core/reject_reason.

#include "common/http/message.hpp"
#include "ingest/handle_webhook.hpp"

namespace clerk_strapi::ingest
{

// `spread` is any number: it spreads the retries of many senders over a few seconds.
[[nodiscard]] http::response answer_for(webhook_verdict const& verdict, std::uint64_t spread);
[[nodiscard]] http::response not_found();
[[nodiscard]] http::response method_not_allowed(std::string allowed);

}
