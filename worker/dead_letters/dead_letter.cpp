#include "worker/dead_letters/dead_letter.hpp"

#include "common/event/cloud_event.hpp"

#include <charconv>

namespace clerk_strapi::worker
{

namespace
{

template <class Number>
std::optional<Number> parse_place(std::string_view text)
{
    Number number = 0;
    auto const [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (fault != std::errc{} || end != text.data() + text.size() || number < 0) return std::nullopt;
    return number;
}

bool is_dead_letter_header(std::string_view name) { return name.starts_with("dlq_"); }

// Set again from the body: the ingest that dead-lettered the webhook could not read the user's id.
bool is_about_user(std::string_view name)
{
    return name == cloud_event::source || name == cloud_event::type || name == cloud_event::subject
        || name == cloud_event::dataschema;
}

std::optional<std::string_view> topic_of(dead_letter_info const& info, redrive_topics const& topics)
{
    if (info.topic == dead_letter::from_webhook) return topics.user_events;
    for (auto const& one : {topics.user_events, topics.provisioning, topics.snapshots}) {
        if (info.topic == one) return one;
    }
    return std::nullopt;
}

// Empty, or the reason why the webhook cannot be redriven.
std::string describe_webhook(std::string_view body, redrive_record& record)
{
    auto const head = scan_envelope(body);
    if (!head) return std::string{to_string(head.error())};
    if (head->kind == event_kind::other) return "not_a_user_event";
    record.key = head->user_id;
    auto const add = [&](std::string_view name, std::string value) {
        record.headers.push_back({std::string{name}, std::move(value)});
    };
    add(cloud_event::source, "/clerk/" + head->instance_id);
    add(cloud_event::type, std::string{cloud_event::type_prefix} + head->type);
    add(cloud_event::subject, head->user_id);
    add(cloud_event::dataschema, std::string{cloud_event::dataschema_value});
    return {};
}

}

dead_letter_info read_dead_letter(record_view const& record)
{
    dead_letter_info info;
    for (auto const& header : record.headers) {
        auto const value = header.value.value_or("");
        if (header.name == dead_letter::reason) info.reason = value;
        if (header.name == dead_letter::detail) info.detail = value;
        if (header.name == dead_letter::topic) info.topic = value;
        if (header.name == dead_letter::partition) info.partition = parse_place<std::int32_t>(value);
        if (header.name == dead_letter::offset) info.offset = parse_place<std::int64_t>(value);
        if (header.name == dead_letter::time) info.time = value;
    }
    return info;
}

bool lacks_body(record_view const& record, dead_letter_info const& info)
{
    return record.value.value_or("").empty() && info.reason != to_string(dead_letter_reason::no_value) && info.partition
        && info.offset;
}

result<redrive_record, redrive_refusal> plan_redrive(
    record_view const& dead, redrive_topics const& topics, decode_rules const& rules, std::int64_t now_ms)
{
    auto const info = read_dead_letter(dead);
    auto const topic = topic_of(info, topics);
    if (!topic) return redrive_refusal{"unknown_topic"};
    auto const webhook = info.topic == dead_letter::from_webhook;
    redrive_record record{*topic, std::string{dead.key.value_or("")}, dead.value.value_or(""), {}};
    for (auto const& header : dead.headers) {
        if (is_dead_letter_header(header.name) || (webhook && is_about_user(header.name))) continue;
        record.headers.push_back({std::string{header.name}, std::string{header.value.value_or("")}});
    }
    if (webhook) {
        if (auto why = describe_webhook(record.value, record); !why.empty()) return redrive_refusal{std::move(why)};
    }
    std::vector<record_header> headers;
    headers.reserve(record.headers.size());
    for (auto const& header : record.headers)
        headers.push_back({header.name, header.value});
    auto const decoded = decode_record({record.key, record.value, now_ms, headers}, rules);
    if (!decoded) return redrive_refusal{std::string{decoded.error().name()}};
    return record;
}

}
