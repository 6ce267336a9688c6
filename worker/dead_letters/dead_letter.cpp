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

bool is_note(std::string_view name) { return name.starts_with("dlq_"); }

// Ingest could not tell whose it was; today's code may.
bool is_about_user(std::string_view name)
{
    return name == cloud_event::source || name == cloud_event::type || name == cloud_event::subject
        || name == cloud_event::dataschema;
}

std::optional<std::string_view> topic_of(letter_note const& note, redrive_topics const& topics)
{
    if (note.topic == dead_letter::from_webhook) return topics.user_events;
    for (auto const& one : {topics.user_events, topics.provisioning, topics.snapshots}) {
        if (note.topic == one) return one;
    }
    return std::nullopt;
}

// Empty, or why a webhook is none of ours.
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

letter_note read_letter(record_view const& letter)
{
    letter_note note;
    for (auto const& header : letter.headers) {
        auto const value = header.value.value_or("");
        if (header.name == dead_letter::reason) note.reason = value;
        if (header.name == dead_letter::detail) note.detail = value;
        if (header.name == dead_letter::topic) note.topic = value;
        if (header.name == dead_letter::partition) note.partition = parse_place<std::int32_t>(value);
        if (header.name == dead_letter::offset) note.offset = parse_place<std::int64_t>(value);
        if (header.name == dead_letter::time) note.time = value;
    }
    return note;
}

bool lacks_body(record_view const& letter, letter_note const& note)
{
    return letter.value.value_or("").empty() && note.reason != to_string(park_reason::no_value) && note.partition
        && note.offset;
}

result<redrive_record, redrive_refusal> plan_redrive(
    record_view const& letter, redrive_topics const& topics, decode_rules const& rules, std::int64_t now_ms)
{
    auto const note = read_letter(letter);
    auto const topic = topic_of(note, topics);
    if (!topic) return redrive_refusal{"unknown_topic"};
    auto const webhook = note.topic == dead_letter::from_webhook;
    redrive_record record{*topic, std::string{letter.key.value_or("")}, letter.value.value_or(""), {}};
    for (auto const& header : letter.headers) {
        if (is_note(header.name) || (webhook && is_about_user(header.name))) continue;
        record.headers.push_back({std::string{header.name}, std::string{header.value.value_or("")}});
    }
    if (webhook) {
        if (auto why = describe_webhook(record.value, record); !why.empty()) return redrive_refusal{std::move(why)};
    }
    std::vector<record_header> headers;
    headers.reserve(record.headers.size());
    for (auto const& header : record.headers)
        headers.push_back({header.name, header.value});
    auto const judged = decode_record({record.key, record.value, now_ms, headers}, rules);
    if (!judged) return redrive_refusal{std::string{judged.error().name()}};
    return record;
}

}
