#pragma once

// A user as Clerk's API returned it, or its absence, as a Kafka record (schemas/README.md). backfill and reconcile
// publish these, and the worker applies them with the merge rule of webhooks.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace clerk_strapi::worker
{

struct user_record
{
    std::string key; // the Clerk user id
    std::string value;
    std::vector<std::pair<std::string_view, std::string>> headers;
};

// `raw_user` is copied byte for byte; `asked_at_ms` is when the request began.
[[nodiscard]] user_record snapshot_record(
    std::string_view clerk_id, std::string_view raw_user, std::string_view instance_id, std::int64_t asked_at_ms);

// For an id for which Clerk returned 404 at that time.
[[nodiscard]] user_record absence_record(
    std::string_view clerk_id, std::string_view instance_id, std::int64_t asked_at_ms);

// Only the value of a snapshot record, to decode it as the worker does.
[[nodiscard]] std::string snapshot_value(
    std::string_view raw_user, std::string_view instance_id, std::int64_t asked_at_ms);

}
