#pragma once

// What a person on call types: each adds its subcommand to the command line, with its own options, and gives back what
// runs it. Exit codes as in commands.hpp; every one takes --json.

#include "common/runtime/config_source.hpp"

#include <CLI/App.hpp>

#include <functional>

namespace clerk_strapi::worker::commands
{

struct operator_command
{
    CLI::App* parsed{nullptr};
    std::function<int(config_source&)> run; // throws config_error
};

// Reads the log again from a time, an offset or its beginning, and applies it by the same rule as ever.
[[nodiscard]] operator_command add_replay(CLI::App& app);

// Dead letters: list, show, redrive, discard.
[[nodiscard]] operator_command add_dlq(CLI::App& app);

// Everything that is known of one Clerk user; lifts a tombstone.
[[nodiscard]] operator_command add_user(CLI::App& app);

// Lag, dead letters, conflicts, pauses: what needs a person?
[[nodiscard]] operator_command add_status(CLI::App& app);

}
