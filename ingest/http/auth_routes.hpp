#pragma once

// /v1/auth/verify and /v1/auth/gateway: turns HTTP requests into calls of the two stories, and decisions into
// responses.

#include "common/http/message.hpp"
#include "ingest/gateway/headers.hpp"
#include "ingest/gateway/impersonation.hpp"
#include "ingest/handle_gateway.hpp"
#include "ingest/metrics.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace clerk_strapi::ingest
{

struct auth_settings
{
    std::string cookie_suffix; // of the publishable key; empty: unknown
    std::string issuer; // empty: unknown
    gateway_dialect dialect{gateway_dialect::nginx};
    impersonation_rule impersonation{};
    std::size_t in_flight_max{1'128}; // requests that wait for keys, rows, brokers or Clerk
};

[[nodiscard]] bool is_auth_path(std::string_view path);

class auth_routes
{
public:
    // `verify` is null when verification is not configured: every request gets 503.
    auth_routes(
        handle_auth_verify* verify, metrics& counted, auth_settings settings, std::function<std::uint64_t()> random);

    // For a path that is_auth_path() accepts.
    [[nodiscard]] boost::asio::awaitable<http::response> operator()(http::request_view const& request);

private:
    [[nodiscard]] boost::asio::awaitable<http::response> verify(http::request_view const& request);
    [[nodiscard]] boost::asio::awaitable<http::response> gateway(http::request_view const& request);
    [[nodiscard]] http::response reject(auth_rejection why);
    void count(auth_decision const& decision, std::chrono::steady_clock::time_point started,
        std::string_view traceparent = {});

    handle_auth_verify* verify_;
    metrics& metrics_;
    auth_settings settings_;
    std::function<std::uint64_t()> random_;
    std::size_t in_flight_count_{0};
};

}
