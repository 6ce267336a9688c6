#pragma once

// One listener and its connections, on the thread that runs the io_context; not thread-safe beyond that.
// Everything is bounded: connections, header bytes, body bytes (each and together), and the time a peer may take.
// One timer sweeps all deadlines; a request costs no timer of its own. No route is chosen here: a handler gets
// whatever is well-formed.
//
// Stop: begin_stop() takes new connections for a while more, so that a load balancer can look away first, answers
// with Connection: close, cuts every reading deadline, and is finished() when nothing is open any more.

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
    std::chrono::milliseconds linger_time{2'000}; // after an early refusal: so that the client can read it
};

struct stop_times
{
    std::chrono::milliseconds accept{3'000};
    std::chrono::milliseconds read{4'000};
    std::chrono::milliseconds everything{5'000};
};

struct server_hooks
{
    // The HTTP layer answered by itself; method and target are empty when they were not understood.
    std::function<void(fault, request_view const&)> refused{};
    // For the log of whoever wires us: accept failures, a handler that threw.
    std::function<void(std::string_view what, std::string_view detail)> trouble{};
};

class server
{
public:
    // Binds and listens at once, so a busy port is told at start. Throws boost::system::system_error.
    server(boost::asio::io_context& io, std::string const& host, std::uint16_t port, server_limits limits,
        handler serve, server_hooks hooks = {});
    ~server();
    server(server const&) = delete;
    server& operator=(server const&) = delete;

    void start();
    [[nodiscard]] std::uint16_t port() const { return port_; }
    [[nodiscard]] std::size_t open_connections() const { return connections_.size(); }
    [[nodiscard]] std::size_t body_bytes_held() const { return body_bytes_held_; }

    void begin_stop(stop_times times = {});
    [[nodiscard]] bool finished() const { return stopping_ && !acceptor_.is_open() && connections_.empty(); }

private:
    friend class connection;
    using time_point = std::chrono::steady_clock::time_point;

    boost::asio::awaitable<void> accept_for_ever();
    boost::asio::awaitable<void> sweep_for_ever();
    void sweep(time_point now);
    void accept_more();
    void accept_one(boost::asio::ip::tcp::socket socket);
    [[nodiscard]] bool make_room();
    void close_acceptor();
    void refresh_date();
    [[nodiscard]] bool take_body_bytes(connection const& who, std::size_t bytes);
    [[nodiscard]] bool displace_a_larger_body(std::size_t bytes);
    void move_behind_all(connection const& one);
    void give_body_bytes(std::size_t bytes) { body_bytes_held_ -= bytes; }

    boost::asio::io_context& io_;
    boost::asio::ip::tcp::acceptor acceptor_;
    boost::asio::steady_timer sweeper_;
    server_limits limits_;
    handler serve_;
    server_hooks hooks_;
    std::list<std::shared_ptr<connection>> connections_; // who keeps us waiting longest comes first
    std::size_t body_bytes_held_{0};
    std::uint16_t port_{0};
    std::string date_;
    bool stopping_{false};
    time_point accept_until_{};
    time_point read_until_{};
    time_point open_until_{};
};

}
