#pragma once

// From a Kafka record to a user event, or to the reason why it can never be applied. Pure. The contract is
// schemas/README.md; a record that breaks it is parked, never guessed at.

#include "common/event/user_event.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace clerk_strapi::worker
{

struct record_header
{
    std::string_view name;
    std::optional<std::string_view> value;
};

// What the decoder looks at; views into memory the caller keeps.
struct record_view
{
    std::optional<std::string_view> key;
    std::optional<std::string_view> value;
    std::optional<std::int64_t> timestamp_ms; // Kafka's own, when the record has one
    std::span<record_header const> headers;
};

enum class park_reason {
    no_value, // null or empty
    no_key, // null or empty
    bad_headers, // missing, twice, oversized or not text
    unsupported_version, // ce_specversion, ce_dataschema or content-type of another contract than ours
    unknown_type, // a ce_type we do not know
    unusable_body, // parked under the envelope_fault's own name, as ingest does
    contradictory, // key, ce_subject, ce_type and body do not agree
    bad_time, // no time, or one that no clock showed in Clerk's lifetime
    version_in_future, // more than an hour ahead of the record's own timestamp: it would freeze the row
    foreign_instance, // another Clerk instance than the configured ones
    refused_by_database, // SQLSTATE class 22 or 23, alone, while others were written
};
[[nodiscard]] std::string_view to_string(park_reason reason);

struct park_verdict
{
    park_reason reason{park_reason::no_value};
    std::string detail; // which header, which SQLSTATE; never a value of the body
    std::optional<envelope_fault> body_fault{}; // with unusable_body

    // The `dlq_reason`: one word of a closed set.
    [[nodiscard]] std::string_view name() const
    {
        return body_fault ? to_string(*body_fault) : worker::to_string(reason);
    }
};

struct decode_rules
{
    std::vector<std::string> instances; // the allowed instance ids; empty allows any
    std::string role_key; // the member of public_metadata that ROLE_MAP reads; empty: none
};

[[nodiscard]] result<user_event, park_verdict> decode_record(record_view const& record, decode_rules const& rules);

}
