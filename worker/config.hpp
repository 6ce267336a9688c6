#pragma once

// The worker's configuration: one struct, read and judged once, every fault told together.

#include "common/config/config_source.hpp"
#include "common/kafka/assignment_strategy.hpp"
#include "common/kafka/client_config.hpp"
#include "common/log/logging.hpp"
#include "common/postgres/session.hpp"
#include "worker/apply/store.hpp"
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
    postgres::session::conninfo_source conninfo; // reads files anew at each connection
    store_settings store;
    std::vector<std::string> instances; // empty: any
    std::size_t batch_records{500};
    std::chrono::milliseconds batch_wait{5};
    log::options logging;
    std::vector<std::string> warnings; // to be logged at start
};

// Which parts a command needs: those it does not need may stay unset.
struct config_needs
{
    bool kafka{true};
    bool database{true};
};

// Throws config_error with every fault.
[[nodiscard]] worker_config load_config(config_source& source, config_needs needs);

// The consumer group of a lane (events, user-provisioning, snapshots). The live topic's group is the one that operators
// watch; the others are separate, so that a member that joins or leaves on one topic does not stop those of another.
[[nodiscard]] std::string group_of(worker_config const& config, std::string_view lane);

// How records are read under this configuration: by the lanes, and by every command that reads the log.
[[nodiscard]] decode_rules decoding_of(worker_config const& config);

}
