#include "worker/consume/record_decoder.hpp"

#include "common/event/clerk_user.hpp"
#include "common/event/cloud_event.hpp"

#include <algorithm>

namespace clerk_strapi::worker
{

namespace
{

constexpr std::size_t header_bytes_max = 1024;
constexpr std::size_t headers_max = 64;

// 2001 to 9999, in milliseconds. Earlier: a sender used 1970. Later: formatters fail.
constexpr std::int64_t time_begin_ms = 1'000'000'000'000;
constexpr std::int64_t time_end_ms = 253'402'300'800'000;
constexpr std::int64_t future_tolerance_ms = 3'600'000;

bool is_plausible(std::int64_t time_ms) { return time_ms >= time_begin_ms && time_ms < time_end_ms; }

bool is_printable(std::string_view text)
{
    return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c < '\x7f'; });
}

// With or without parameters; application/jsonl is something else.
bool is_json(std::string_view content_type)
{
    if (!content_type.starts_with(cloud_event::content_type_value)) return false;
    content_type.remove_prefix(cloud_event::content_type_value.size());
    return content_type.empty() || content_type.front() == ';' || content_type.front() == ' ';
}

struct cloud_event_headers
{
    std::optional<std::string_view> specversion, id, type, subject, dataschema, content_type, source;
};

dead_letter_cause cause(dead_letter_reason reason, std::string_view detail) { return {reason, std::string{detail}}; }

result<cloud_event_headers, dead_letter_cause> read_headers(std::span<record_header const> headers)
{
    cloud_event_headers found;
    struct slot
    {
        std::string_view name;
        std::optional<std::string_view>* value;
        bool required;
    };
    slot const slots[] = {
        {cloud_event::specversion, &found.specversion, true},
        {cloud_event::id, &found.id, true},
        {cloud_event::type, &found.type, true},
        {cloud_event::source, &found.source, false},
        {cloud_event::subject, &found.subject, false},
        {cloud_event::dataschema, &found.dataschema, false},
        {cloud_event::content_type, &found.content_type, false},
    };
    if (headers.size() > headers_max) return cause(dead_letter_reason::bad_headers, "more than 64 headers");
    for (auto const& header : headers) {
        auto const* const known =
            std::find_if(std::begin(slots), std::end(slots), [&](slot const& one) { return one.name == header.name; });
        if (known == std::end(slots)) continue;
        if (*known->value) return cause(dead_letter_reason::bad_headers, std::string{known->name} + " twice");
        if (!header.value || header.value->empty() || header.value->size() > header_bytes_max
            || !is_printable(*header.value))
            return cause(
                dead_letter_reason::bad_headers, std::string{known->name} + " empty, oversized or not printable");
        *known->value = header.value;
    }
    for (auto const& one : slots) {
        if (one.required && !*one.value)
            return cause(dead_letter_reason::bad_headers, std::string{one.name} + " missing");
    }
    return found;
}

// The contract has version 1. A newer version needs a newer worker.
std::optional<dead_letter_cause> check_contract(cloud_event_headers const& headers)
{
    if (headers.specversion != cloud_event::specversion_value)
        return cause(dead_letter_reason::unsupported_version, "ce_specversion is not 1.0");
    if (headers.dataschema && headers.dataschema != cloud_event::dataschema_value)
        return cause(dead_letter_reason::unsupported_version, "ce_dataschema is not version 1 of this contract");
    if (headers.content_type && !is_json(*headers.content_type))
        return cause(dead_letter_reason::unsupported_version, "content-type is not application/json");
    return std::nullopt;
}

event_kind kind_of(std::string_view ce_type)
{
    if (!ce_type.starts_with(cloud_event::type_prefix)) return event_kind::other;
    return parse_event_kind(ce_type.substr(cloud_event::type_prefix.size()));
}

// Key, headers and body must name the same user: a mismatch is never applied.
std::optional<dead_letter_cause> check_agreement(
    envelope const& head, event_kind announced, std::string_view key, cloud_event_headers const& headers)
{
    if (head.kind != announced) return cause(dead_letter_reason::contradictory, "ce_type and the body's type differ");
    if (head.user_id != key) return cause(dead_letter_reason::contradictory, "the key is not the body's user");
    if (headers.subject && *headers.subject != key)
        return cause(dead_letter_reason::contradictory, "ce_subject is not the key");
    return std::nullopt;
}

std::optional<dead_letter_cause> set_times(
    user_event& event, clerk_event_body const& body, std::optional<std::int64_t> record_time_ms)
{
    auto const& user = body.user;
    auto const updated = user.updated_at ? std::optional{to_milliseconds(*user.updated_at)} : body.head.timestamp_ms;
    if (!updated) return cause(dead_letter_reason::bad_time, "neither data.updated_at nor timestamp");
    event.version.updated_at_ms = *updated;
    event.version.event_ms = body.head.timestamp_ms.value_or(*updated);
    auto const created = to_milliseconds(user.created_at.value_or(*updated));
    for (auto const time : {event.version.updated_at_ms, event.version.event_ms, created}) {
        if (!is_plausible(time)) return cause(dead_letter_reason::bad_time, "a time outside 2001 to 9999");
    }
    event.desired.created_at_ms = created;
    auto const newest = std::max(event.version.updated_at_ms, event.version.event_ms);
    if (record_time_ms && *record_time_ms > 0 && newest > *record_time_ms + future_tolerance_ms)
        return cause(dead_letter_reason::version_in_future, "more than an hour after the record's timestamp");
    return std::nullopt;
}

}

std::string_view to_string(dead_letter_reason reason)
{
    switch (reason) {
    case dead_letter_reason::no_value: return "no_value";
    case dead_letter_reason::no_key: return "no_key";
    case dead_letter_reason::bad_headers: return "bad_headers";
    case dead_letter_reason::unsupported_version: return "unsupported_version";
    case dead_letter_reason::unknown_type: return "unknown_type";
    case dead_letter_reason::unusable_body: return "unusable_body";
    case dead_letter_reason::contradictory: return "contradictory";
    case dead_letter_reason::bad_time: return "bad_time";
    case dead_letter_reason::version_in_future: return "version_in_future";
    case dead_letter_reason::foreign_instance: return "foreign_instance";
    case dead_letter_reason::refused_by_database: return "refused_by_database";
    }
    return "unusable_body";
}

result<user_event, dead_letter_cause> decode_record(record_view const& record, decode_rules const& rules)
{
    if (!record.value || record.value->empty()) return cause(dead_letter_reason::no_value, "");
    if (!record.key || record.key->empty()) return cause(dead_letter_reason::no_key, "");
    auto const headers = read_headers(record.headers);
    if (!headers) return headers.error();
    if (auto const fault = check_contract(*headers)) return *fault;
    auto const announced = kind_of(*headers->type);
    if (announced == event_kind::other) return cause(dead_letter_reason::unknown_type, "");

    auto const body = decode_clerk_event(*record.value, rules.role_key);
    if (!body) return dead_letter_cause{dead_letter_reason::unusable_body, "", body.error()};
    if (auto const fault = check_agreement(body->head, announced, *record.key, *headers)) return *fault;
    auto const& instances = rules.instances;
    if (!instances.empty() && std::find(instances.begin(), instances.end(), body->head.instance_id) == instances.end())
        return cause(dead_letter_reason::foreign_instance, "");

    user_event event;
    event.kind = announced;
    event.clerk_id = body->head.user_id;
    event.version.body_hash = sha256(*record.value);
    // The reader of the API makes a snapshot's id: it must not decide between two readings.
    if (announced != event_kind::snapshot) event.version.event_id = *headers->id;
    if (announced == event_kind::deleted) {
        event.version.event_ms = body->head.timestamp_ms.value_or(0); // for the record only: the tombstone wins
        return event;
    }
    event.desired = to_desired_values(body->user);
    event.replaced = values_replaced_in(body->user);
    if (auto const fault = set_times(event, *body, record.timestamp_ms)) return *fault;
    if (announced == event_kind::seen) {
        event.version = {}; // any webhook is newer than a token's claims
        event.desired.email_verified = false; // a token cannot link a local account (E7)
        event.desired.role_hints.clear(); // and assigns no role
    }
    return event;
}

}
