#pragma once

// From a Kafka record to a user event, or to the reason why it can never be applied. Pure. The contract is
// schemas/README.md. A record that violates it is dead-lettered; nothing is guessed.

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

// The decoder's input: views into memory that the caller keeps.
struct record_view
{
    std::optional<std::string_view> key;
    std::optional<std::string_view> value;
    std::optional<std::int64_t> timestamp_ms; // Kafka's own, when the record has one
    std::span<record_header const> headers;
};

enum class dead_letter_reason {
    no_value, // null or empty
    no_key, // null or empty
    bad_headers, // missing, twice, oversized or not text
    unsupported_version, // ce_specversion, ce_dataschema or content-type of another contract
    unknown_type, // of ce_type
    unusable_body, // the reason is the envelope_fault's own name, as in ingest
    contradictory, // key, ce_subject, ce_type and body do not agree
    bad_time, // no time, or one outside 2001 to 9999
    version_in_future, // more than an hour ahead of the record's own timestamp: it would freeze the row
    foreign_instance, // another Clerk instance than the configured ones
    refused_by_database, // SQLSTATE class 22 or 23, for this record alone
};
[[nodiscard]] std::string_view to_string(dead_letter_reason reason);

struct dead_letter_cause
{
    dead_letter_reason reason{dead_letter_reason::no_value};
    std::string detail; // which header, which SQLSTATE; never a value of the body
    std::optional<envelope_fault> body_fault{}; // with unusable_body

    // The header `dlq_reason`, from a closed set.
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

[[nodiscard]] result<user_event, dead_letter_cause> decode_record(record_view const& record, decode_rules const& rules);

}
