#pragma once

// W3C trace context. The record carries the `traceparent` of the request, so that one trace goes from the sender
// through the log lines of both programs. Without a valid one, ingest begins a new trace.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace clerk_strapi
{

// Version 00, lower-case hex, neither id all zeros.
[[nodiscard]] bool is_traceparent(std::string_view text);
// Not sampled, because no sender requested this trace. The random numbers are arguments.
[[nodiscard]] std::string make_traceparent(std::array<std::uint64_t, 3> const& random);
// The trace id, 32 digits; empty when `traceparent` is invalid.
[[nodiscard]] std::string_view trace_id_of(std::string_view traceparent);

}
