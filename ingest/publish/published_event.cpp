#include "ingest/publish/published_event.hpp"

#include "common/event/cloud_event.hpp"
#include "common/event/time_text.hpp"

#include <algorithm>

namespace clerk_strapi::ingest
{
namespace
{

std::chrono::sys_time<std::chrono::milliseconds> time_of(webhook const& from, envelope const* event)
{
    std::chrono::milliseconds const sent = std::chrono::seconds{from.sent_seconds};
    bool const has_own = event != nullptr && event->timestamp_ms;
    return std::chrono::sys_time<std::chrono::milliseconds>{
        has_own ? std::chrono::milliseconds{*event->timestamp_ms} : sent};
}

}

published_event::published_event(webhook const& from, envelope const& event)
    : topic_{topic_role::user_events}
    , key_{event.user_id}
    , value_{from.body}
{
    describe(from, &event);
}

published_event::published_event(webhook const& from, envelope const* event, dead_letter_note const& note)
    : topic_{topic_role::dead_letters}
    , value_{from.body}
    , dead_letter_time_{rfc3339(note.now)}
{
    if (event != nullptr && !event->user_id.empty()) key_ = event->user_id;
    describe(from, event);
    add(dead_letter::reason, note.reason);
    add(dead_letter::detail, note.detail);
    add(dead_letter::topic, dead_letter::from_webhook);
    add(dead_letter::partition, dead_letter::nowhere);
    add(dead_letter::offset, dead_letter::nowhere);
    add(dead_letter::attempts, "1");
    add(dead_letter::time, dead_letter_time_);
}

published_event::published_event(provisioning_event const& event)
    : topic_{topic_role::provisioning}
    , key_{event.clerk_id}
    , value_{event.body}
    , time_{rfc3339(event.time)}
{
    add(cloud_event::specversion, cloud_event::specversion_value);
    add(cloud_event::id, event.event_id);
    describe_user(event.instance_id, event.type, event.clerk_id);
    add(cloud_event::time, time_);
    add(cloud_event::content_type, cloud_event::content_type_value);
    add(cloud_event::traceparent, event.traceparent);
}

std::string_view published_event::header(std::string_view name) const
{
    auto const all = headers();
    auto const found = std::find_if(all.begin(), all.end(), [&](auto const& one) { return one.name == name; });
    return found == all.end() ? std::string_view{} : found->value;
}

void published_event::describe_user(std::string_view instance_id, std::string_view type, std::string_view clerk_id)
{
    source_ = "/clerk/";
    source_ += instance_id;
    type_ = cloud_event::type_prefix;
    type_ += type;
    add(cloud_event::source, source_);
    add(cloud_event::type, type_);
    add(cloud_event::subject, clerk_id);
    add(cloud_event::dataschema, cloud_event::dataschema_value);
}

void published_event::describe(webhook const& from, envelope const* event)
{
    time_ = rfc3339(time_of(from, event));
    add(cloud_event::specversion, cloud_event::specversion_value);
    add(cloud_event::id, from.id);
    if (event != nullptr) describe_user(event->instance_id, event->type, event->user_id);
    add(cloud_event::time, time_);
    add(cloud_event::content_type, cloud_event::content_type_value);
    add(cloud_event::traceparent, from.traceparent);
}

}
