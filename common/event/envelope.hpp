#pragma once

// What routing needs from a Clerk webhook body, found in one pass without building a document.
// The pass is as strict as a full parse: RFC 8259 grammar, valid UTF-8, no lone surrogates, no duplicate
// names in any object, depth at most 64, nothing before or after the value. So whatever passes here can be
// decoded later, and two parsers cannot disagree about it (hardening: a duplicate "id" is unusable).

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
    seen, // first sight, known only from a session token
    snapshot, // the user as Clerk's API told it
    other, // any other webhook type: not about users, not published
};

// "user.created" and "user.deleted" as in the body; event_kind::other for every unknown text.
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
    no_data, // a user event whose "data" is absent or not an object
    no_user_id, // "data.id" absent or not a string
    bad_user_id, // not what is_user_id() takes: an id of another object, or an oversized one
    bad_timestamp, // "timestamp" present but not an integer that can be a time
    bad_instance_id, // "instance_id" present but not a string of 1 to 128 printable ASCII characters
    bad_field, // a member of "data" that we map has another kind than Clerk documents (found by the full decode)
};
[[nodiscard]] std::string_view to_string(envelope_fault fault);

struct envelope
{
    event_kind kind{event_kind::other};
    std::string type; // as in the body
    std::string user_id; // data.id; empty for event_kind::other
    std::optional<std::int64_t> timestamp_ms; // the event's own time; seconds are made milliseconds
    std::string instance_id; // ins_...; empty when absent
};

// Types that are not about users pass with only `type` (and times) filled: their data is not looked at,
// apart from the grammar.
[[nodiscard]] result<envelope, envelope_fault> scan_envelope(std::string_view body);

// Clerk's ids of users: user_ and 1 to 64 letters or digits; imported ones may hold _ and -.
[[nodiscard]] bool is_user_id(std::string_view id);

// Clerk's documents show milliseconds, its OpenAPI examples seconds: below 1e11 it is seconds.
[[nodiscard]] constexpr std::int64_t to_milliseconds(std::int64_t time)
{
    return time > -100'000'000'000 && time < 100'000'000'000 ? time * 1000 : time;
}
static_assert(to_milliseconds(1'716'883'200) == 1'716'883'200'000);
static_assert(to_milliseconds(1'716'883'200'000) == 1'716'883'200'000);

}
