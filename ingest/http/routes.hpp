#pragma once

// Stage 1: selects the handler of a request. Paths are compared as sent, without decoding or normalising, so another
// spelling of a path gets 404 (C4). No route depends on the host.
//
// Webhooks and verify requests each have a bound, and both bounds together are below the number of connections. So an
// outage that makes one kind wait leaves connections for the other, and a request above the bound gets 503 and not a
// closed connection (I6).

#include "common/http/fault.hpp"
#include "common/http/message.hpp"
#include "ingest/handle_webhook.hpp"
#include "ingest/http/auth_routes.hpp"
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
    http_routes(handle_webhook& webhooks, auth_routes& auth, metrics& counted, std::size_t webhooks_in_flight_max,
        std::function<std::uint64_t()> random);

    [[nodiscard]] boost::asio::awaitable<http::response> operator()(http::request_view const& request);
    // Counts a request that the HTTP layer rejected. It also counts as a webhook if its path is known to be a
    // webhook's.
    void count_rejected(http::fault what, http::request_view const& request);

private:
    [[nodiscard]] boost::asio::awaitable<http::response> webhook(http::request_view const& request);

    handle_webhook& webhooks_;
    auth_routes& auth_;
    metrics& metrics_;
    std::size_t webhooks_in_flight_max_;
    std::size_t webhooks_in_flight_{0};
    std::function<std::uint64_t()> random_;
};

}
