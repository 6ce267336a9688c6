#pragma once

// Header names of the Kafka contract (schemas/README.md): CloudEvents 1.0, Kafka binding, binary mode.

#include <string_view>

namespace clerk_strapi::cloud_event
{

inline constexpr std::string_view specversion = "ce_specversion"; // always "1.0"
inline constexpr std::string_view id = "ce_id"; // the svix-id: the same on every retry of a message
inline constexpr std::string_view source = "ce_source"; // /clerk/<instance_id>
inline constexpr std::string_view type = "ce_type"; // clerk.user.created, ...
inline constexpr std::string_view subject = "ce_subject"; // the Clerk user id, also the record's key
inline constexpr std::string_view time = "ce_time"; // RFC 3339, the event's own time
inline constexpr std::string_view dataschema = "ce_dataschema";
inline constexpr std::string_view content_type = "content-type";
inline constexpr std::string_view traceparent = "traceparent"; // W3C trace context

inline constexpr std::string_view specversion_value = "1.0";
inline constexpr std::string_view type_prefix = "clerk."; // before the webhook's own type
inline constexpr std::string_view dataschema_value =
    "urn:clerk-strapi-sync:user-event:1"; // a record with a higher number becomes a dead letter
inline constexpr std::string_view content_type_value = "application/json";

}

namespace clerk_strapi::dead_letter
{

inline constexpr std::string_view reason = "dlq_reason";
inline constexpr std::string_view detail = "dlq_detail";
inline constexpr std::string_view topic = "dlq_topic"; // "webhook" when ingest dead-lettered it
inline constexpr std::string_view partition = "dlq_partition";
inline constexpr std::string_view offset = "dlq_offset";
inline constexpr std::string_view attempts = "dlq_attempts";
inline constexpr std::string_view time = "dlq_time";

inline constexpr std::string_view from_webhook = "webhook";
inline constexpr std::string_view nowhere = "-1"; // partition and offset of a webhook that was in no topic

}
