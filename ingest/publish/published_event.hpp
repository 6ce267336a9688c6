#pragma once

// An event as a Kafka record (CloudEvents, binary mode): the value is the body as received, everything else is a
// header. A dead letter has the same form and additional headers with the reason.

#include "common/event/envelope.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace clerk_strapi::ingest
{

enum class topic_role { user_events, provisioning, dead_letters };

struct published_header
{
    std::string_view name;
    std::string_view value;
};

// A received webhook; views of the request.
struct webhook
{
    std::string_view id; // svix-id
    std::int64_t sent_seconds{0}; // svix-timestamp
    std::string_view body;
    std::string_view traceparent; // valid
};

// Why a webhook goes to the dead-letter topic.
struct dead_letter_note
{
    std::string_view reason;
    std::string_view detail;
    std::chrono::system_clock::time_point now;
};

// A user known from a session token, or read from Clerk because of one; views of the publisher's texts.
struct provisioning_event
{
    std::string_view event_id;
    std::string_view clerk_id;
    std::string_view instance_id; // empty: unknown
    std::string_view type; // user.seen or user.snapshot
    std::string_view body;
    std::chrono::system_clock::time_point time;
    std::string_view traceparent; // valid
};

// Holds views of `webhook` and `envelope`, which must outlive it, and of its own texts: so it cannot be copied or
// moved.
class published_event
{
public:
    published_event(webhook const& from, envelope const& event); // to the user events topic
    published_event(
        webhook const& from, envelope const* event, dead_letter_note const& note); // to the dead-letter topic
    explicit published_event(provisioning_event const& event); // to the provisioning topic
    published_event(published_event const&) = delete;
    published_event& operator=(published_event const&) = delete;

    [[nodiscard]] topic_role topic() const { return topic_; }
    [[nodiscard]] std::optional<std::string_view> key() const { return key_; }
    [[nodiscard]] std::string_view value() const { return value_; }
    [[nodiscard]] std::span<published_header const> headers() const { return std::span{headers_}.first(count_); }
    [[nodiscard]] std::string_view header(std::string_view name) const; // empty when there is none

private:
    void add(std::string_view name, std::string_view value) { headers_[count_++] = {name, value}; }
    void describe(webhook const& from, envelope const* event);
    void describe_user(std::string_view instance_id, std::string_view type, std::string_view clerk_id);

    topic_role topic_;
    std::optional<std::string_view> key_;
    std::string_view value_;
    std::array<published_header, 16> headers_;
    std::size_t count_{0};
    std::string source_;
    std::string type_;
    std::string time_;
    std::string dead_letter_time_;
};

}
