#include "common/http/server.hpp"

#include "common/http/connection.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <stdexcept>

namespace clerk_strapi::http
{
namespace
{

namespace asio = boost::asio;
using boost::system::error_code;
using clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds sweep_interval{100};
constexpr std::chrono::milliseconds accept_pause{50}; // without descriptors: until some connections end
constexpr std::size_t accepts_together_max = 64; // a millisecond or two
constexpr int send_buffer_bytes = 32 * 1024; // the kernel doubles both
constexpr int receive_buffer_bytes = 64 * 1024;
constexpr int backlog = 4096; // the kernel caps it at net.core.somaxconn

}

server::server(asio::io_context& io, std::string const& host, std::uint16_t port, server_limits limits, handler serve,
    server_hooks hooks)
    : io_{io}
    , acceptor_{io}
    , sweeper_{io}
    , limits_{limits}
    , serve_{std::move(serve)}
    , hooks_{std::move(hooks)}
{
    asio::ip::tcp::endpoint const where{asio::ip::make_address(host), port};
    acceptor_.open(where.protocol());
    acceptor_.set_option(asio::socket_base::reuse_address{true});
    // Connections inherit both sizes. By default the kernel would buffer up to ten megabytes per connection that does
    // not read.
    acceptor_.set_option(asio::socket_base::send_buffer_size{send_buffer_bytes});
    acceptor_.set_option(asio::socket_base::receive_buffer_size{receive_buffer_bytes});
    acceptor_.non_blocking(true); // for accept_more()
    error_code failed;
    acceptor_.bind(where, failed);
    if (!failed) acceptor_.listen(backlog, failed);
    if (failed) {
        throw std::runtime_error{
            "cannot listen on " + host + ":" + std::to_string(port) + ": " + failed.category().message(failed.value())};
    }
    port_ = acceptor_.local_endpoint().port();
    refresh_date();
}

server::~server()
{
    close_acceptor();
    for (auto const& each : connections_)
        each->close();
}

void server::start()
{
    asio::co_spawn(io_, accept_loop(), asio::detached);
    asio::co_spawn(io_, sweep_loop(), asio::detached);
}

asio::awaitable<void> server::accept_loop()
{
    while (acceptor_.is_open()) {
        error_code failed;
        auto socket = co_await acceptor_.async_accept(asio::redirect_error(asio::use_awaitable, failed));
        if (!failed) {
            accept_one(std::move(socket));
            accept_more();
            continue;
        }
        if (failed == asio::error::operation_aborted || !acceptor_.is_open()) co_return;
        if (hooks_.trouble) hooks_.trouble("cannot accept a connection", failed.message());
        asio::steady_timer pause{io_, accept_pause};
        co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, failed));
    }
}

// Accepts further waiting connections without another turn of the event loop. An asynchronous accept takes one
// connection, and then all ready coroutines run; so the last of a thousand new connections would wait for a thousand
// turns. The number is a small part of the limit, because a new connection must have a turn to send its request before
// shed_connection() closes it.
void server::accept_more()
{
    auto const together = std::min(accepts_together_max, limits_.connections_max / 8);
    for (std::size_t taken = 1; taken < together; ++taken) {
        error_code failed; // none is waiting; or an error that the next asynchronous accept reports
        auto socket = acceptor_.accept(failed);
        if (failed) return;
        accept_one(std::move(socket));
    }
}

void server::accept_one(asio::ip::tcp::socket socket)
{
    if (connections_.size() >= limits_.connections_max && !shed_connection()) return; // closes the socket
    auto const next = std::make_shared<connection>(*this, std::move(socket));
    next->place = connections_.insert(connections_.end(), next);
    asio::co_spawn(io_, next->run(), asio::detached);
}

// Closes one connection: first one that was answered and does not leave (lingering) or does not read (writing), else
// the one that has sent no whole request for the longest time. So a flood closes its own connections, and a client that
// sends its request at once keeps its connection. A connection whose request is being handled is never closed.
bool server::shed_connection()
{
    using phase = connection::phase;
    auto const rank = [](phase doing) {
        switch (doing) {
        case phase::lingering: return 0;
        case phase::writing: return 1;
        case phase::idle:
        case phase::head:
        case phase::body: return 2;
        case phase::handling: return 3;
        }
        return 3;
    };
    connection* first = nullptr;
    for (auto const& each : connections_) {
        if (each->closed() || rank(each->doing()) == 3) continue;
        if (first == nullptr || rank(each->doing()) < rank(first->doing())) first = each.get();
    }
    if (first == nullptr) return false;
    first->close();
    return true;
}

void server::move_to_end(connection const& one) { connections_.splice(connections_.end(), connections_, one.place); }

asio::awaitable<void> server::sweep_loop()
{
    while (!finished()) {
        sweeper_.expires_after(sweep_interval);
        error_code cancelled;
        co_await sweeper_.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
        if (cancelled) co_return;
        sweep(clock::now());
    }
}

void server::sweep(time_point now)
{
    refresh_date();
    if (stopping_ && now >= accept_until_) close_acceptor();
    for (auto const& each : connections_) {
        auto const doing = each->doing();
        bool const reading = doing == connection::phase::head || doing == connection::phase::body;
        bool const over = each->deadline() <= now || (stopping_ && now >= open_until_)
            || (stopping_ && reading && now >= read_until_)
            || (stopping_ && doing == connection::phase::idle && now >= accept_until_);
        if (stopping_ && now >= open_until_)
            each->close();
        else if (over)
            each->expire();
    }
}

void server::close_acceptor()
{
    error_code ignored;
    acceptor_.close(ignored);
}

void server::refresh_date()
{
    constexpr std::array days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    constexpr std::array months{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    std::time_t const now = std::time(nullptr);
    std::tm utc{};
    gmtime_r(&now, &utc);
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), "%s, %02d %s %04d %02d:%02d:%02d GMT",
        days[static_cast<std::size_t>(utc.tm_wday)], utc.tm_mday, months[static_cast<std::size_t>(utc.tm_mon)],
        utc.tm_year + 1900, utc.tm_hour, utc.tm_min, utc.tm_sec);
    date_ = text.data();
}

bool server::reserve_body_bytes(connection const& reader, std::size_t bytes)
{
    while (body_bytes_held_ + bytes > limits_.body_bytes_together_max) {
        if (!abandon_a_larger_body(reader.body_bytes_held() + bytes)) return false;
    }
    body_bytes_held_ += bytes;
    return true;
}

// A signature can be verified only when its body is complete. A few bodies that stop half-way could use up the memory,
// so the largest unfinished body is dropped for a smaller one.
bool server::abandon_a_larger_body(std::size_t bytes)
{
    connection* largest = nullptr;
    for (auto const& each : connections_) {
        if (each->closed() || each->doing() != connection::phase::body || each->body_bytes_held() <= bytes) continue;
        if (largest == nullptr || each->body_bytes_held() > largest->body_bytes_held()) largest = each.get();
    }
    if (largest == nullptr) return false;
    largest->abandon_body();
    return true;
}

void server::begin_stop(stop_times times)
{
    if (stopping_) return;
    auto const now = clock::now();
    accept_until_ = now + times.accept;
    read_until_ = now + times.read;
    open_until_ = now + times.everything;
    stopping_ = true;
}

}
