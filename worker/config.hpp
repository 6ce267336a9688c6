#pragma once

// The worker's configuration: one struct, read and checked once. All faults are reported together.

#include "common/config/config_source.hpp"
#include "common/kafka/assignment_strategy.hpp"
#include "common/kafka/client_config.hpp"
#include "common/log/logging.hpp"
#include "common/postgres/session.hpp"
#include "worker/apply/store_settings.hpp"
#include "worker/consume/record_decoder.hpp"

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace clerk_strapi::worker
{

struct topic_names
{
    std::string user_events;
    std::string provisioning;
    std::string snapshots;
    std::string dead_letters;

    [[nodiscard]] std::vector<std::string> all() const { return {user_events, provisioning, snapshots, dead_letters}; }
    // Where the previous version published what now goes to `provisioning` (clerk.first-sights). Empty: there is none.
    [[nodiscard]] std::string former_provisioning() const;
};

// The pipeline that reads the former provisioning topic; also the end of that topic's name and of its consumer group's.
inline constexpr char const* former_pipeline = "first-sights";

struct worker_config
{
    listen_address admin;
    kafka::client_settings kafka;
    std::string group_id;
    std::string assignment_strategy{kafka::default_strategy};
    topic_names topics;
    postgres::session::conninfo_source conninfo; // reads the files again for each connection
    store_settings store;
    std::vector<std::string> instances; // of Clerk; empty: any
    std::size_t batch_records{500};
    std::chrono::milliseconds batch_wait{5};
    log::options logging;
    std::vector<std::string> warnings; // logged at start
};

// The parts that a command needs. The others may be unset.
struct config_needs
{
    bool kafka{true};
    bool database{true};
};

// Throws config_error with every fault.
[[nodiscard]] worker_config load_config(config_source& source, config_needs needs);

// The consumer group of a pipeline (events, user-provisioning, snapshots). Each topic has its own group, so that a
// member that joins or leaves on one topic does not stop the others.
[[nodiscard]] std::string group_of(worker_config const& config, std::string_view pipeline);

// For the pipelines, and for every command that reads a topic.
[[nodiscard]] decode_rules decoding_of(worker_config const& config);

}
