#pragma once

// `dlq redrive`: sends dead letters again to the topics they came from. A record is sent only if the present code can
// decode it, and its dead letter is closed only after the brokers have stored it.

#include "worker/operate/dead_letter_scan.hpp"

namespace clerk_strapi::worker::commands
{

struct redrive_options
{
    dead_letter_filter filter;
    std::size_t limit{1000}; // of the records listed one by one with --json
    bool json{false};
};
[[nodiscard]] int redrive(worker_config const& config, redrive_options const& options);

}
