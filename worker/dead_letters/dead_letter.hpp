#pragma once

// A record of the dead-letter topic: what its headers say of it, and what it would be if it were sent again. Pure.

#include "worker/consume/record_decoder.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace clerk_strapi::worker
{

// The dlq_ headers; what is missing is empty.
struct letter_note
{
    std::string_view reason;
    std::string_view detail;
    std::string_view topic; // where it stood, or `webhook`
    std::optional<std::int32_t> partition; // none when it never stood in a topic
    std::optional<std::int64_t> offset;
    std::string_view time;
};
[[nodiscard]] letter_note read_letter(record_view const& letter);

// Parked without its body, because the reason's headers made it too large: the body is where it stood.
[[nodiscard]] bool lacks_body(record_view const& letter, letter_note const& note);

// Topics a letter may go back to.
struct redrive_topics
{
    std::string_view user_events;
    std::string_view provisioning;
    std::string_view snapshots;
};

struct redrive_record
{
    struct header
    {
        std::string name;
        std::string value;
    };
    std::string_view topic;
    std::string key;
    std::string_view value; // of the letter
    std::vector<header> headers;
};

struct redrive_refusal
{
    std::string reason; // one word of the reasons, `not_a_user_event`, or `unknown_topic`
};

// What to publish so that the letter gets another try; or, by today's code, why it would be parked again. `now_ms`
// becomes the record's own time.
[[nodiscard]] result<redrive_record, redrive_refusal> plan_redrive(
    record_view const& letter, redrive_topics const& topics, decode_rules const& rules, std::int64_t now_ms);

}
