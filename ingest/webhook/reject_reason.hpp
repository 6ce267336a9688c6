#pragma once

// Why a webhook is rejected. The log has the reason; the response and the counter have only its class. 4xx: the request
// is wrong. 5xx: ingest or Kafka failed, so the sender must retry.

#include <string_view>

namespace clerk_strapi::ingest
{

enum class reject_reason {
    missing_header, // id, timestamp or signature absent or blank
    ambiguous_header, // one of them sent twice, or svix-* and webhook-* with different values
    malformed_id, // not 1 to 128 of A-Z a-z 0-9 _ -
    malformed_timestamp, // not 1 to 12 digits (seconds)
    malformed_signature, // more than 16 items or 4 KiB
    outside_tolerance, // more than 300 s before or after this host's clock
    not_authentic, // no v1 signature of these bytes by one of the configured secrets
    queue_full, // too many records wait for the brokers
    not_acknowledged, // the brokers did not acknowledge the record in time, or rejected it
    possibly_persisted, // unknown whether the record is in the topic; a second copy is harmless (I2)
    record_refused, // the record is larger than the brokers accept: the topic's limit is below MAX_BODY_BYTES
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
