#pragma once

// A webhook as a Kafka record (CloudEvents, binary mode): the value is the body as it was signed, everything else
// is a header. Unusable ones take the same shape, with the reason beside it.

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

struct record_header
{
    std::string_view name;
    std::string_view value;
};

// What came over HTTP; views of the request.
struct webhook
{
    std::string_view id; // svix-id
    std::int64_t sent_seconds{0}; // svix-timestamp
    std::string_view body;
    std::string_view traceparent; // a valid one
};

// Why a webhook goes to the dead letters instead.
struct park_note
{
    std::string_view reason;
    std::string_view detail;
    std::chrono::system_clock::time_point now;
};

// A user known from a session token, or read from Clerk because of one; views of whoever publishes it.
struct sighting
{
    std::string_view event_id;
    std::string_view clerk_id;
    std::string_view instance_id; // empty: unknown
    std::string_view type; // user.seen or user.snapshot
    std::string_view body;
    std::chrono::system_clock::time_point time;
    std::string_view traceparent; // a valid one
};

// Holds views of `webhook` and `envelope`, which must outlive it, and of its own texts: it stays where it was made.
class event_record
{
public:
    event_record(webhook const& from, envelope const& event); // to the user events
    event_record(webhook const& from, envelope const* event, park_note const& note); // to the dead letters
    explicit event_record(sighting const& seen); // to the first sights
    event_record(event_record const&) = delete;
    event_record& operator=(event_record const&) = delete;

    [[nodiscard]] topic_role topic() const { return topic_; }
    [[nodiscard]] std::optional<std::string_view> key() const { return key_; }
    [[nodiscard]] std::string_view value() const { return value_; }
    [[nodiscard]] std::span<record_header const> headers() const { return std::span{headers_}.first(count_); }
    [[nodiscard]] std::string_view header(std::string_view name) const; // empty when there is none

private:
    void add(std::string_view name, std::string_view value) { headers_[count_++] = {name, value}; }
    void describe(webhook const& from, envelope const* event);
    void describe_user(std::string_view instance_id, std::string_view type, std::string_view clerk_id);

    topic_role topic_;
    std::optional<std::string_view> key_;
    std::string_view value_;
    std::array<record_header, 16> headers_;
    std::size_t count_{0};
    std::string source_;
    std::string type_;
    std::string time_;
    std::string parked_time_;
};

}
