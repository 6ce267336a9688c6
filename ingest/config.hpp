#pragma once

// ingest's configuration, read once at the start. All errors are reported together. Only the webhook secrets file is
// read again later.

#include "common/config/config_source.hpp"
#include "common/kafka/client_config.hpp"
#include "common/log/logging.hpp"
#include "ingest/auth_config.hpp"

#include <chrono>
#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace clerk_strapi::ingest
{

struct config
{
    listen_address listen;
    listen_address admin_listen;
    secret webhook_secrets; // the comma-separated list
    std::optional<std::string> webhook_secrets_file; // when the list came from a file
    std::set<std::string, std::less<>> instance_ids; // empty: any
    kafka::client_settings kafka;
    std::string user_events_topic;
    std::string provisioning_topic;
    std::string dead_letters_topic;
    std::chrono::milliseconds publish_timeout{8'000};
    std::size_t body_bytes_max{768 * 1024};
    auth_config auth;
    std::vector<std::string> warnings; // to log at the start
};

// Errors are collected in `source`; the caller then calls source.require_valid().
[[nodiscard]] config load_config(config_source& source);
[[nodiscard]] log::options load_log_options(config_source& source);
// For `send`, which needs only a secret.
void require_webhook_secrets(config_source& source, secret const& secrets);

}
