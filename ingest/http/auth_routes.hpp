#pragma once

// /v1/auth/verify and /v1/auth/gateway: from an HTTP request to the two stories, and back to an answer.

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
    std::size_t under_way_max{1'128}; // questions that wait for keys, rows, brokers, Clerk
};

[[nodiscard]] bool is_auth_path(std::string_view path);

class auth_routes
{
public:
    // `verify` is null when verification is not configured: everything is answered 503 then.
    auth_routes(
        handle_auth_verify* verify, metrics& counted, auth_settings settings, std::function<std::uint64_t()> random);

    // Of a path that is_auth_path().
    [[nodiscard]] boost::asio::awaitable<http::response> operator()(http::request_view const& request);

private:
    [[nodiscard]] boost::asio::awaitable<http::response> verify(http::request_view const& request);
    [[nodiscard]] boost::asio::awaitable<http::response> gateway(http::request_view const& request);
    [[nodiscard]] http::response refuse(auth_refusal why);
    void count(
        auth_verdict const& verdict, std::chrono::steady_clock::time_point begun, std::string_view traceparent = {});

    handle_auth_verify* verify_;
    metrics& metrics_;
    auth_settings settings_;
    std::function<std::uint64_t()> random_;
    std::size_t under_way_{0};
};

}
