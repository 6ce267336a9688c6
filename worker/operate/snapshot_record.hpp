#pragma once

// A user as Clerk's API told him, or his absence, as a Kafka record (schemas/README.md): what backfill and reconcile
// publish, so that the worker judges it by the same rule as a webhook.

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

// `raw_user` is taken over byte for byte; `asked_at_ms` is when the request began.
[[nodiscard]] user_record snapshot_record(
    std::string_view clerk_id, std::string_view raw_user, std::string_view instance_id, std::int64_t asked_at_ms);

// For a user of whom Clerk said 404 at that time.
[[nodiscard]] user_record absence_record(
    std::string_view clerk_id, std::string_view instance_id, std::int64_t asked_at_ms);

// The value of such a record alone, for whoever wants to decode it as the worker would.
[[nodiscard]] std::string snapshot_value(
    std::string_view raw_user, std::string_view instance_id, std::int64_t asked_at_ms);

}
