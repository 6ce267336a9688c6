#pragma once

// Builders of the events and records of one user.

#include "common/event/user_event.hpp"
#include "worker/ports.hpp"

#include <string>

namespace clerk_strapi::tests
{

inline constexpr std::int64_t test_time_ms = 1'750'000'000'000;

// A higher `version` is a newer event.
[[nodiscard]] inline user_event make_event(event_kind kind, std::string const& clerk_id, int version)
{
    user_event event;
    event.kind = kind;
    event.clerk_id = clerk_id;
    if (kind != event_kind::seen) {
        event.version.updated_at_ms = test_time_ms + version;
        event.version.event_ms = test_time_ms + version;
        event.version.event_id = "msg_" + clerk_id + "_" + std::to_string(version);
        event.version.body_hash = sha256(event.version.event_id);
    }
    if (kind == event_kind::deleted) return event;
    auto const tag = std::to_string(version);
    event.desired.email = clerk_id + "." + tag + "@example.com";
    event.desired.email_verified = true;
    event.desired.username = clerk_id + "_" + tag;
    event.desired.full_name = "Name " + tag;
    event.desired.created_at_ms = test_time_ms;
    return event;
}

[[nodiscard]] inline user_event created(std::string const& id, int version)
{
    return make_event(event_kind::created, id, version);
}
[[nodiscard]] inline user_event updated(std::string const& id, int version)
{
    return make_event(event_kind::updated, id, version);
}
[[nodiscard]] inline user_event deleted(std::string const& id, int version)
{
    return make_event(event_kind::deleted, id, version);
}
[[nodiscard]] inline user_event seen(std::string const& id) { return make_event(event_kind::seen, id, 0); }

}
