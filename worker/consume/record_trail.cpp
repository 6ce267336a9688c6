#include "worker/consume/record_trail.hpp"

#include "common/event/cloud_event.hpp"
#include "common/event/trace_context.hpp"

#include <algorithm>

namespace clerk_strapi::worker
{

namespace
{

constexpr std::size_t event_id_bytes_max = 128;

bool is_event_id(std::string_view text)
{
    return text.size() <= event_id_bytes_max && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' || c == '-';
    });
}

}

record_trail trail_of(record_view const& record)
{
    record_trail found;
    if (record.key && is_user_id(*record.key)) found.clerk_id = *record.key;
    for (auto const& [name, value] : record.headers) {
        if (!value) continue;
        if (name == cloud_event::id && is_event_id(*value)) found.event_id = *value;
        if (name == cloud_event::traceparent) found.trace_id = trace_id_of(*value);
    }
    return found;
}

}
