#include "common/event/envelope.hpp"

#include "common/event/json_reader.hpp"

#include <algorithm>

namespace clerk_strapi
{

namespace
{

envelope_fault to_envelope_fault(json_fault fault)
{
    switch (fault) {
    case json_fault::too_deep: return envelope_fault::too_deep;
    case json_fault::duplicate_name: return envelope_fault::duplicate_name;
    case json_fault::none:
    case json_fault::syntax:
    case json_fault::bad_text: return envelope_fault::not_json;
    }
    return envelope_fault::not_json;
}

// What one pass over the body found. It is checked after the pass, so that a grammar fault wins over a missing member.
struct found_members
{
    std::optional<std::string> type;
    bool data_is_object{false};
    bool id_present{false};
    std::optional<std::string> id;
    bool timestamp_present{false};
    std::optional<std::int64_t> timestamp;
    bool instance_present{false};
    std::optional<std::string> instance;
};

bool read_data(json_reader& reader, found_members& found)
{
    found.data_is_object = reader.peek() == json_kind::object;
    if (!found.data_is_object) return reader.skip();
    return reader.object([&](std::string_view name) {
        if (name != "id") return reader.skip();
        found.id_present = true;
        found.id = reader.string();
        return reader.fault() == json_fault::none;
    });
}

bool read_member(json_reader& reader, std::string_view name, found_members& found)
{
    if (name == "type") {
        found.type = reader.string();
    } else if (name == "data") {
        return read_data(reader, found);
    } else if (name == "timestamp") {
        found.timestamp_present = reader.peek() != json_kind::null;
        found.timestamp = reader.integer();
    } else if (name == "instance_id") {
        found.instance_present = reader.peek() != json_kind::null;
        found.instance = reader.string();
    } else {
        return reader.skip();
    }
    return reader.fault() == json_fault::none;
}

// Year 10000 in milliseconds: later times do not fit RFC 3339.
constexpr std::int64_t time_end_ms = 253'402'300'800'000;

bool is_plausible_time(std::int64_t time)
{
    auto const ms = to_milliseconds(time);
    return ms >= 0 && ms < time_end_ms;
}

bool is_instance_id(std::string_view text)
{
    return !text.empty() && text.size() <= 128
        && std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

}

event_kind parse_event_kind(std::string_view type)
{
    if (type == "user.created") return event_kind::created;
    if (type == "user.updated") return event_kind::updated;
    if (type == "user.deleted") return event_kind::deleted;
    if (type == "user.seen") return event_kind::seen;
    if (type == "user.snapshot") return event_kind::snapshot;
    return event_kind::other;
}

std::string_view to_string(event_kind kind)
{
    switch (kind) {
    case event_kind::created: return "user.created";
    case event_kind::updated: return "user.updated";
    case event_kind::deleted: return "user.deleted";
    case event_kind::seen: return "user.seen";
    case event_kind::snapshot: return "user.snapshot";
    case event_kind::other: return "other";
    }
    return "other";
}

std::string_view to_string(envelope_fault fault)
{
    switch (fault) {
    case envelope_fault::not_json: return "not_json";
    case envelope_fault::too_deep: return "too_deep";
    case envelope_fault::duplicate_name: return "duplicate_name";
    case envelope_fault::not_an_object: return "not_an_object";
    case envelope_fault::no_type: return "no_type";
    case envelope_fault::no_data: return "no_data";
    case envelope_fault::no_user_id: return "no_user_id";
    case envelope_fault::bad_user_id: return "bad_user_id";
    case envelope_fault::bad_timestamp: return "bad_timestamp";
    case envelope_fault::bad_instance_id: return "bad_instance_id";
    case envelope_fault::bad_field: return "bad_field";
    }
    return "not_json";
}

bool is_user_id(std::string_view id)
{
    constexpr std::string_view prefix = "user_";
    if (!id.starts_with(prefix)) return false;
    id.remove_prefix(prefix.size());
    return !id.empty() && id.size() <= 64 && std::all_of(id.begin(), id.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' || c == '-';
    });
}

result<envelope, envelope_fault> scan_envelope(std::string_view body)
{
    json_reader reader{body};
    auto const is_object = reader.peek() == json_kind::object;
    found_members members;
    auto const walked = is_object
        ? reader.object([&](std::string_view name) { return read_member(reader, name, members); })
        : reader.skip();
    if (!walked || !reader.finish()) return to_envelope_fault(reader.fault());
    if (!is_object) return envelope_fault::not_an_object;
    if (!members.type) return envelope_fault::no_type;

    envelope found;
    found.kind = parse_event_kind(*members.type);
    found.type = *members.type;
    if (members.timestamp && is_plausible_time(*members.timestamp))
        found.timestamp_ms = to_milliseconds(*members.timestamp);
    if (members.instance && is_instance_id(*members.instance)) found.instance_id = *members.instance;
    if (found.kind == event_kind::other) return found;

    if (!members.data_is_object) return envelope_fault::no_data;
    if (!members.id_present || !members.id) return envelope_fault::no_user_id;
    if (!is_user_id(*members.id)) return envelope_fault::bad_user_id;
    // A deletion is never rejected for its time: its tombstone wins at any time.
    if (members.timestamp_present && !found.timestamp_ms && found.kind != event_kind::deleted)
        return envelope_fault::bad_timestamp;
    if (members.instance_present && found.instance_id.empty()) return envelope_fault::bad_instance_id;
    found.user_id = std::move(*members.id);
    return found;
}

}
