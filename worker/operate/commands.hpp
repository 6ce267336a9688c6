#pragma once

// The commands of `clerk-worker`, one file each. add_*() adds a subcommand with its options and its --help, and returns
// the function that runs it. That function returns the exit code, and throws config_error for wrong usage.

#include "common/config/config_source.hpp"
#include "worker/config.hpp"

#include <functional>
#include <string>
#include <vector>

namespace CLI
{
class App;
}

namespace clerk_strapi::worker::commands
{

inline constexpr int exit_done = 0;
inline constexpr int exit_failed = 1;
inline constexpr int exit_usage = 2; // or a wrong configuration
inline constexpr int exit_found = 3; // found something that needs action: drift, conflicts, dead letters, duplicates

struct subcommand
{
    CLI::App* parsed{nullptr};
    std::function<int(config_source&)> run;
};

// Consumes until SIGTERM. `unknown_variables` look like ours but do not exist: each is warned about once.
[[nodiscard]] int run(worker_config const& config, std::vector<std::string> const& unknown_variables);

// Checks configuration, brokers, topics, database, rights and Strapi's tables. Changes nothing.
[[nodiscard]] subcommand add_check(CLI::App& app);

// Creates clerk_sync and the indexes on Strapi's user table; run by the owner of the tables. Clerk users with several
// Strapi rows are listed, or merged with --merge-duplicates.
[[nodiscard]] subcommand add_migrate(CLI::App& app);
struct migrate_options
{
    bool merge_duplicates{false};
    bool dry_run{false};
    bool json{false};
};
[[nodiscard]] int migrate(worker_config const& config, migrate_options const& options = {});

// Creates missing topics, and checks the others.
[[nodiscard]] subcommand add_topics(CLI::App& app);

// Publishes every user of Clerk's API as a snapshot, for a first import or after a loss. The worker applies snapshots
// with the merge rule of webhooks, so newer live data is never overwritten (I2, I3).
[[nodiscard]] subcommand add_backfill(CLI::App& app);

// Lists how Strapi differs from Clerk's API. Repairs by publishing snapshots, and deletes a user only after a 404 for
// the id (F31).
[[nodiscard]] subcommand add_reconcile(CLI::App& app);

// Reads events again from a time, an offset or the beginning of a topic, and applies them with the merge rule.
[[nodiscard]] subcommand add_replay(CLI::App& app);

// Lists, shows, redrives or discards dead letters.
[[nodiscard]] subcommand add_dlq(CLI::App& app);

// Explains one Clerk user's current state; lifts a tombstone.
[[nodiscard]] subcommand add_user(CLI::App& app);

// Shows lag, dead letters, value conflicts and what needs action.
[[nodiscard]] subcommand add_status(CLI::App& app);

}
