#pragma once

// The configuration of session token verification. Without keys or without a database it is off: /v1/auth returns 503
// not_configured, and webhooks work.

#include "common/config/config_source.hpp"
#include "common/postgres/conninfo.hpp"
#include "ingest/gateway/headers.hpp"
#include "ingest/gateway/impersonation.hpp"
#include "ingest/token/publishable_key.hpp"
#include "ingest/token/rsa_key.hpp"
#include "ingest/token/session_token.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace clerk_strapi::ingest
{

struct auth_config
{
    std::function<secret()> secret_key; // read before each request, so that a rotated key is used; empty: none
    std::optional<rsa_key> jwt_key;
    std::optional<publishable_key> publishable;
    std::string api_url;
    token_policy policy;
    std::function<postgres::conninfo()> database; // read before each connection; empty: none
    std::string database_schema;
    std::chrono::milliseconds row_wait{2'000};
    std::size_t waiters_max{1'000};
    std::chrono::milliseconds cache_time{1'000};
    std::chrono::milliseconds stale_time{30'000};
    gateway_dialect dialect{gateway_dialect::nginx};
    impersonation_rule impersonation{};

    [[nodiscard]] bool has_keys() const { return jwt_key || publishable || secret_key; }
    [[nodiscard]] bool is_on() const { return has_keys() && database; }
    // One sentence per warning, for the log at the start.
    [[nodiscard]] std::vector<std::string> warnings() const;
};

// Errors are collected in `source`.
[[nodiscard]] auth_config load_auth_config(config_source& source);

}
