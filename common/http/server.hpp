#pragma once

// One listener and its connections, on the thread that runs the io_context; not thread-safe. Bounded are the
// connections, the header bytes, the body bytes (of each request and together) and the time of each phase. One timer
// checks all deadlines, so a request needs no timer. The server has no routes: the handler receives every well-formed
// request.
//
// Stop: after begin_stop() the server still accepts connections for a while, until a load balancer has noticed the
// stop. It answers with Connection: close and shortens the deadlines for reading. finished() is true when no connection
// is open.

#include "common/http/fault.hpp"
#include "common/http/handler.hpp"
#include "common/http/head_scan.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>

namespace clerk_strapi::http
{

class connection;

struct server_limits
{
    head_limits head{};
    std::size_t body_bytes_max{768 * 1024};
    std::size_t body_bytes_together_max{24 * 1024 * 1024};
    std::size_t connections_max{2048};
    std::chrono::milliseconds head_time{10'000}; // from the first byte
    std::chrono::milliseconds request_time{15'000}; // from the first byte to the last of the body
    std::chrono::milliseconds write_time{10'000};
    std::chrono::milliseconds idle_time{60'000};
    std::chrono::milliseconds linger_time{2'000}; // after an early refusal, so that the client can read the response
};

struct stop_times
{
    std::chrono::milliseconds accept{3'000};
    std::chrono::milliseconds read{4'000};
    std::chrono::milliseconds everything{5'000};
};

struct server_hooks
{
    // The HTTP layer sent an error response itself; method and target are empty when they could not be parsed.
    std::function<void(fault, request_view const&)> refused{};
    // For the log of the owner: a failed accept, an exception of a handler.
    std::function<void(std::string_view what, std::string_view detail)> trouble{};
};

class server
{
public:
    // Binds and listens at once, so that a busy port is reported at start. Throws std::runtime_error.
    server(boost::asio::io_context& io, std::string const& host, std::uint16_t port, server_limits limits,
        handler serve, server_hooks hooks = {});
    ~server();
    server(server const&) = delete;
    server& operator=(server const&) = delete;

    void start();
    [[nodiscard]] std::uint16_t port() const { return port_; }
    [[nodiscard]] std::size_t open_connections() const { return connections_.size(); }

    void begin_stop(stop_times times = {});
    [[nodiscard]] bool finished() const { return stopping_ && !acceptor_.is_open() && connections_.empty(); }

private:
    friend class connection;
    using time_point = std::chrono::steady_clock::time_point;

    boost::asio::awaitable<void> accept_loop();
    boost::asio::awaitable<void> sweep_loop();
    void sweep(time_point now);
    void accept_more();
    void accept_one(boost::asio::ip::tcp::socket socket);
    [[nodiscard]] bool shed_connection();
    void close_acceptor();
    void refresh_date();
    [[nodiscard]] bool reserve_body_bytes(connection const& reader, std::size_t bytes);
    [[nodiscard]] bool abandon_a_larger_body(std::size_t bytes);
    void move_to_end(connection const& one);
    void release_body_bytes(std::size_t bytes) { body_bytes_held_ -= bytes; }

    boost::asio::io_context& io_;
    boost::asio::ip::tcp::acceptor acceptor_;
    boost::asio::steady_timer sweeper_;
    server_limits limits_;
    handler serve_;
    server_hooks hooks_;
    std::list<std::shared_ptr<connection>> connections_; // the one without a new request for the longest time is first
    std::size_t body_bytes_held_{0};
    std::uint16_t port_{0};
    std::string date_;
    bool stopping_{false};
    time_point accept_until_{};
    time_point read_until_{};
    time_point open_until_{};
};

}
