#pragma once

// W3C trace context: a request's `traceparent` goes on with the record, so one trace leads from the sender to the
// rows and to both programs' log lines; without a valid one a new trace begins here.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace clerk_strapi
{

// Version 00, lower-case hex, neither id all zeros.
[[nodiscard]] bool is_traceparent(std::string_view text);
// Not sampled: nobody asked for this trace. The random numbers are the caller's.
[[nodiscard]] std::string make_traceparent(std::array<std::uint64_t, 3> const& random);
// The 32 characters of the trace's id; empty when `traceparent` has none.
[[nodiscard]] std::string_view trace_id_of(std::string_view traceparent);

}
