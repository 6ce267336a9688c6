#pragma once

// What a person on call types: each adds its subcommand to the command line, with its own options, and gives back what
// runs it. Exit codes as in commands.hpp; every one takes --json.

#include "common/config/config_source.hpp"

#include <CLI/App.hpp>

#include <functional>

namespace clerk_strapi::worker::commands
{

struct operator_command
{
    CLI::App* parsed{nullptr};
    std::function<int(config_source&)> run; // throws config_error
};

// Publishes every user that Clerk's API tells as a snapshot, for a first import or after a loss. The worker judges
// snapshots by the same rule as webhooks, so newer live data is never overwritten (I2, I3), and reads them only while
// the live topics have no lag.
[[nodiscard]] operator_command add_backfill(CLI::App& app);

// How does Strapi differ from what Clerk's API says? Repairs by publishing snapshots, and deletes only after a 404 on
// the id (F31).
[[nodiscard]] operator_command add_reconcile(CLI::App& app);

// Reads the log again from a time, an offset or its beginning, and applies it by the same rule as ever.
[[nodiscard]] operator_command add_replay(CLI::App& app);

// Dead letters: list, show, redrive, discard.
[[nodiscard]] operator_command add_dlq(CLI::App& app);

// Everything that is known of one Clerk user; lifts a tombstone.
[[nodiscard]] operator_command add_user(CLI::App& app);

// Lag, dead letters, conflicts, pauses: what needs a person?
[[nodiscard]] operator_command add_status(CLI::App& app);

}
