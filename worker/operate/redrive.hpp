#pragma once

// `dlq redrive`: dead letters are sent again to where they came from, each only when today's code could apply it, and
// closed once the brokers have it.

#include "worker/operate/dead_letter_scan.hpp"

namespace clerk_strapi::worker::commands
{

struct redrive_options
{
    letter_filter filter;
    std::size_t limit{1000}; // of the records told one by one with --json
    bool json{false};
};
[[nodiscard]] int redrive(worker_config const& config, redrive_options const& options);

}
