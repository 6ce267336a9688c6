#pragma once

// Stage 1: which request is whose. Paths are compared as they were sent; nothing is decoded or normalised, so an odd
// form of a path is simply not there (C4). No route depends on the host.
//
// Webhooks and questions about tokens each have a bounded number of requests under way, smaller together than the
// number of connections: when what one kind waits for is away, the other still finds a connection, and whoever is one
// too many is told so (503) instead of being cut off (I6).

#include "common/http/fault.hpp"
#include "common/http/message.hpp"
#include "ingest/http/auth_routes.hpp"
#include "ingest/handle_webhook.hpp"
#include "ingest/metrics.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>

namespace clerk_strapi::ingest
{

[[nodiscard]] bool is_webhook_path(std::string_view path);

class http_routes
{
public:
    http_routes(handle_webhook& webhooks, auth_routes& auth, metrics& counted, std::size_t webhooks_under_way_max,
        std::function<std::uint64_t()> random);

    [[nodiscard]] boost::asio::awaitable<http::response> operator()(http::request_view const& request);
    // What the HTTP layer refused by itself. It is a webhook's fate too when it was sent to a webhook's path, but a
    // head that cannot be read names none.
    void count_refused(http::fault what, http::request_view const& request);

private:
    [[nodiscard]] boost::asio::awaitable<http::response> webhook(http::request_view const& request);

    handle_webhook& webhooks_;
    auth_routes& auth_;
    metrics& metrics_;
    std::size_t webhooks_under_way_max_;
    std::size_t webhooks_under_way_{0};
    std::function<std::uint64_t()> random_;
};

}
