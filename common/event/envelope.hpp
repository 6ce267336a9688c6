#pragma once

// The members of a Clerk webhook body that routing needs, read in one pass without building a document. The pass is as
// strict as a full parse: RFC 8259 grammar, valid UTF-8, no lone surrogates, no duplicate names in any object, at most
// 64 levels, nothing before or after the value. So a body that passes can be decoded later, and two parsers cannot read
// it differently: a body with a second "id" is rejected.

#include "common/event/result.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace clerk_strapi
{

enum class event_kind {
    created, // user.created
    updated, // user.updated
    deleted, // user.deleted
    seen, // just-in-time provisioning: known from a session token only
    snapshot, // the user as Clerk's API returned it
    other, // any other webhook type: not about users, not published
};

// The type as in the body; event_kind::other for every unknown text.
[[nodiscard]] event_kind parse_event_kind(std::string_view type);
// "user.created" ...; "other" for other.
[[nodiscard]] std::string_view to_string(event_kind kind);

// Why an authentic body cannot be used. The names are the dead letters' `dlq_reason`.
enum class envelope_fault {
    not_json, // grammar, UTF-8, text around the value
    too_deep, // more than 64 levels
    duplicate_name, // the same name twice in one object
    not_an_object, // an array, a number, ... at the top
    no_type, // "type" absent or not a string
    no_data, // a user event without an object "data"
    no_user_id, // "data.id" absent or not a string
    bad_user_id, // is_user_id() rejects it: the id of another object, or too long
    bad_timestamp, // "timestamp" present but not an integer that can be a time
    bad_instance_id, // "instance_id" present but not a string of 1 to 128 printable ASCII characters
    bad_field, // a mapped member of "data" has another kind than Clerk documents (found by decode_clerk_event())
};
[[nodiscard]] std::string_view to_string(envelope_fault fault);

struct envelope
{
    event_kind kind{event_kind::other};
    std::string type; // as in the body
    std::string user_id; // data.id; empty for event_kind::other
    std::optional<std::int64_t> timestamp_ms; // the event's own time; seconds are converted
    std::string instance_id; // ins_...; empty when absent
};

// For a type that is not about users, only `type`, the time and the instance are set; its data is checked for grammar
// only.
[[nodiscard]] result<envelope, envelope_fault> scan_envelope(std::string_view body);

// A Clerk user id: user_ and 1 to 64 letters or digits; ids of imported users may have _ and -.
[[nodiscard]] bool is_user_id(std::string_view id);

// Clerk's documentation shows milliseconds, its OpenAPI examples show seconds. A number below 1e11 counts as seconds.
[[nodiscard]] constexpr std::int64_t to_milliseconds(std::int64_t time)
{
    return time > -100'000'000'000 && time < 100'000'000'000 ? time * 1000 : time;
}
static_assert(to_milliseconds(1'716'883'200) == 1'716'883'200'000);
static_assert(to_milliseconds(1'716'883'200'000) == 1'716'883'200'000);

}
