#include "ingest/webhook/reject_reason.hpp"

namespace clerk_strapi::ingest
{
namespace
{

// One text for every failed check, so that the response reveals nothing about the signature.
constexpr std::string_view not_authentic_title = "The signature does not match";
constexpr std::string_view try_later_title = "The event could not be stored; send it again";

}

std::string_view to_string(webhook_outcome outcome)
{
    switch (outcome) {
    case webhook_outcome::accepted: return "accepted";
    case webhook_outcome::ignored: return "ignored";
    case webhook_outcome::parked: return "parked";
    case webhook_outcome::malformed: return "malformed";
    case webhook_outcome::unauthentic: return "unauthentic";
    case webhook_outcome::expired: return "expired";
    case webhook_outcome::too_large: return "too_large";
    case webhook_outcome::shed: return "shed";
    case webhook_outcome::unavailable: return "unavailable";
    }
    return "unknown";
}

reason_row describe(reject_reason reason)
{
    using enum webhook_outcome;
    // clang-format off
    switch (reason) {
    case reject_reason::missing_header: return {"missing_header", 400, "missing_header", "A signature header is missing", malformed};
    case reject_reason::ambiguous_header: return {"ambiguous_header", 400, "ambiguous_header", "A signature header was sent more than once", malformed};
    case reject_reason::malformed_id: return {"malformed_id", 400, "malformed_header", "The webhook id is malformed", malformed};
    case reject_reason::malformed_timestamp: return {"malformed_timestamp", 400, "malformed_header", "The webhook timestamp is malformed", malformed};
    case reject_reason::malformed_signature: return {"malformed_signature", 400, "malformed_header", "The signature header is too long", malformed};
    case reject_reason::outside_tolerance: return {"outside_tolerance", 401, "expired", "The timestamp is more than 300 seconds from the server's clock", expired};
    case reject_reason::not_authentic: return {"not_authentic", 401, "not_authentic", not_authentic_title, unauthentic};
    case reject_reason::queue_full: return {"queue_full", 503, "overloaded", try_later_title, shed};
    case reject_reason::not_acknowledged: return {"not_acknowledged", 503, "unavailable", try_later_title, unavailable};
    case reject_reason::possibly_persisted: return {"possibly_persisted", 503, "unavailable", try_later_title, unavailable};
    case reject_reason::record_refused: return {"record_refused", 503, "unavailable", try_later_title, unavailable};
    }
    // clang-format on
    return {"not_authentic", 401, "not_authentic", not_authentic_title, unauthentic};
}

}
