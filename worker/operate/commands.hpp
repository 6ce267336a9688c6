#pragma once

// The commands of `clerk-worker`, one function and one file each. Each returns the exit code: 0 done, 1 failed, 2 wrong
// usage or configuration, 3 found something that needs action (drift, conflicts, dead letters, duplicates).

#include "worker/config.hpp"

#include <string>
#include <vector>

namespace clerk_strapi::worker::commands
{

inline constexpr int exit_done = 0;
inline constexpr int exit_failed = 1;
inline constexpr int exit_usage = 2;
inline constexpr int exit_found = 3;

// Consumes until SIGTERM. `unknown_variables` look like ours and are not: each is warned about once.
[[nodiscard]] int run(worker_config const& config, std::vector<std::string> const& unknown_variables);

// Looks at configuration, brokers, topics, database, rights and Strapi's tables, changes nothing, says each finding.
[[nodiscard]] int check(worker_config const& config);

struct migrate_options
{
    bool merge_duplicates{false};
    bool dry_run{false};
    bool json{false};
};
// Makes clerk_sync and the indexes on Strapi's user table; to be run as the tables' owner. Clerk users with several
// Strapi rows are listed, or merged when asked to; exit_found as long as there are any.
[[nodiscard]] int migrate(worker_config const& config, migrate_options const& options = {});

struct topics_options
{
    int partitions{12};
    int replication{3};
    bool check_only{false};
};
// Creates the topics that are missing and checks the others.
[[nodiscard]] int topics(worker_config const& config, topics_options const& options);

}
