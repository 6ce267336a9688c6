#pragma once

// One user as Clerk's API tells him now, and the snapshot that brings him down the usual road.

#include "common/kafka/producer.hpp"
#include "common/runtime/config_source.hpp"
#include "worker/config.hpp"

#include <cstdint>
#include <functional>
#include <string>

namespace clerk_strapi::worker::commands
{

struct clerk_access
{
    std::string api_url;
    secret key;
};
// Notes what is missing as a fault of `source`.
[[nodiscard]] clerk_access read_clerk_access(config_source& source);

struct clerk_snapshot
{
    enum class outcome { found, absent, unavailable };
    outcome status{outcome::unavailable};
    std::string fault; // for people
    std::string body; // of the snapshot's record
    std::string instance;
    std::int64_t asked_at_ms{0};
};
// Throws config_error when the API is of an instance that CLERK_INSTANCE_IDS does not name.
[[nodiscard]] clerk_snapshot read_snapshot(
    clerk_access const& access, worker_config const& config, std::string const& clerk_id);

// The fault for people, or empty.
[[nodiscard]] std::string publish_snapshot(
    worker_config const& config, std::string const& clerk_id, clerk_snapshot const& snapshot);

}
