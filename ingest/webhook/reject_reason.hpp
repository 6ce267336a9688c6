#pragma once

// Why a webhook is not accepted. One enumerator, one comment, one row: the log says the reason, the answer and
// the counter only its class. 4xx: the request is wrong; 5xx: we are, send it again.

#include <string_view>

namespace clerk_strapi::ingest
{

enum class reject_reason {
    missing_header, // id, timestamp or signature absent or blank
    ambiguous_header, // one of them twice, or svix-* and webhook-* with different values
    malformed_id, // not 1 to 128 of A-Z a-z 0-9 _ -
    malformed_timestamp, // not 1 to 12 digits: seconds, nothing else
    malformed_signature, // more than 16 items or 4 KiB
    outside_tolerance, // more than 300 s from our clock, either way
    not_authentic, // no v1 item was made with one of our secrets over these bytes
    queue_full, // more waits for the brokers than we are willing to hold
    not_acknowledged, // the brokers did not confirm it in time, or said no
    possibly_persisted, // nobody knows whether it is in the log; a second copy is harmless (I2)
    record_refused, // the brokers take no record of this size: topic and body limits do not fit together
};

// The `outcome` label of clerk_ingest_webhooks_total.
enum class webhook_outcome { accepted, ignored, parked, malformed, unauthentic, expired, too_large, shed, unavailable };
inline constexpr std::size_t webhook_outcomes = 9;
[[nodiscard]] std::string_view to_string(webhook_outcome outcome);

struct reason_row
{
    std::string_view name; // for the log
    unsigned status;
    std::string_view problem; // the last part of the problem's type
    std::string_view title;
    webhook_outcome outcome;
};
[[nodiscard]] reason_row describe(reject_reason reason);

}
