#pragma once

// A record of the dead-letter topic: its dlq_ headers, and the record that a redrive publishes. Pure.

#include "worker/consume/record_decoder.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace clerk_strapi::worker
{

// The dlq_ headers; a missing one is empty.
struct dead_letter_info
{
    std::string_view reason;
    std::string_view detail;
    std::string_view topic; // of the original record, or `webhook`
    std::optional<std::int32_t> partition; // none: the record was never in a topic
    std::optional<std::int64_t> offset;
    std::string_view time;
};
[[nodiscard]] dead_letter_info read_dead_letter(record_view const& record);

// Published without its body, because the headers made it too large: the body is in the original topic.
[[nodiscard]] bool lacks_body(record_view const& record, dead_letter_info const& info);

// Topics that a dead letter may be redriven to.
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
    std::string_view value; // of the dead letter
    std::vector<header> headers;
};

struct redrive_refusal
{
    std::string reason; // a dead-letter reason, `not_a_user_event`, or `unknown_topic`
};

// The record to publish; or the reason why this version would dead-letter it again. `now_ms` becomes the record's own
// time.
[[nodiscard]] result<redrive_record, redrive_refusal> plan_redrive(
    record_view const& dead, redrive_topics const& topics, decode_rules const& rules, std::int64_t now_ms);

}
