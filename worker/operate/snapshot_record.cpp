#include "worker/operate/snapshot_record.hpp"

#include "common/event/cloud_event.hpp"
#include "common/event/json_text.hpp"
#include "common/event/time_text.hpp"

#include <chrono>

namespace clerk_strapi::worker
{
namespace
{

constexpr std::string_view snapshot_type = "user.snapshot";
constexpr std::string_view deleted_type = "user.deleted";

std::string value_of(
    std::string_view type, std::string_view data, std::string_view instance_id, std::int64_t asked_at_ms)
{
    std::string value;
    value.reserve(data.size() + 128);
    value += R"({"type":)";
    append_json_string(value, type);
    value += R"(,"timestamp":)" + std::to_string(asked_at_ms) + R"(,"instance_id":)";
    append_json_string(value, instance_id);
    value += R"(,"data":)";
    value += data;
    value += '}';
    return value;
}

user_record record_of(std::string_view type, std::string_view clerk_id, std::string value, std::string_view instance_id,
    std::int64_t asked_at_ms)
{
    std::chrono::sys_time<std::chrono::milliseconds> const time{std::chrono::milliseconds{asked_at_ms}};
    auto const text = [](std::string_view one) { return std::string{one}; };
    return {text(clerk_id), std::move(value),
        {{cloud_event::specversion, text(cloud_event::specversion_value)},
            {cloud_event::id, "api_" + std::to_string(asked_at_ms) + "_" + text(clerk_id)},
            {cloud_event::source, "/clerk/" + text(instance_id)},
            {cloud_event::type, text(cloud_event::type_prefix) + text(type)}, {cloud_event::subject, text(clerk_id)},
            {cloud_event::time, rfc3339(time)}, {cloud_event::dataschema, text(cloud_event::dataschema_value)},
            {cloud_event::content_type, text(cloud_event::content_type_value)}}};
}

}

std::string snapshot_value(std::string_view raw_user, std::string_view instance_id, std::int64_t asked_at_ms)
{
    return value_of(snapshot_type, raw_user, instance_id, asked_at_ms);
}

user_record snapshot_record(
    std::string_view clerk_id, std::string_view raw_user, std::string_view instance_id, std::int64_t asked_at_ms)
{
    return record_of(
        snapshot_type, clerk_id, snapshot_value(raw_user, instance_id, asked_at_ms), instance_id, asked_at_ms);
}

user_record absence_record(std::string_view clerk_id, std::string_view instance_id, std::int64_t asked_at_ms)
{
    std::string data = R"({"id":)";
    append_json_string(data, clerk_id);
    data += R"(,"object":"user","deleted":true})";
    return record_of(
        deleted_type, clerk_id, value_of(deleted_type, data, instance_id, asked_at_ms), instance_id, asked_at_ms);
}

}
