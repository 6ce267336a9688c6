#pragma once

// A server of common/http on a free loopback port, with its own thread. The handler runs on that thread. The destructor
// stops both.

#include "common/http/server.hpp"

#include <boost/asio/io_context.hpp>

#include <cstdint>
#include <thread>
#include <utility>

namespace clerk_strapi::tests
{

class running_http_server
{
public:
    running_http_server(http::server_limits limits, http::handler serve)
        : server_{io_, "127.0.0.1", 0, limits, std::move(serve)}
    {
        server_.start();
        thread_ = std::thread{[this] { io_.run(); }};
    }
    ~running_http_server()
    {
        io_.stop();
        thread_.join();
    }
    running_http_server(running_http_server const&) = delete;
    running_http_server& operator=(running_http_server const&) = delete;
    [[nodiscard]] std::uint16_t port() const { return server_.port(); }

private:
    boost::asio::io_context io_{1};
    http::server server_;
    std::thread thread_;
};

}
