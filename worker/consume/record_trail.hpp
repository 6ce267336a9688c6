#pragma once

// Connects a log line of the worker with the webhook's request: the event's id, the user, the trace. Only values of the
// right form: a record may come from any producer, and its text must not reach the log as an id (I6).

#include "worker/consume/record_decoder.hpp"

#include <string_view>

namespace clerk_strapi::worker
{

// Empty where the record has none. Views of the record.
struct record_trail
{
    std::string_view event_id; // [A-Za-z0-9_-], at most 128
    std::string_view clerk_id; // the key, when it is a Clerk user's id
    std::string_view trace_id; // of the W3C traceparent
};

[[nodiscard]] record_trail trail_of(record_view const& record);

}
