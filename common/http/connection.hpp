#pragma once

// One connection, as a coroutine: reads a request, calls the handler, writes the response, and repeats. The server can
// query its phase and deadline, and can end it.

#include "common/http/request_reader.hpp"
#include "common/http/server.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <list>
#include <memory>
#include <string>

namespace clerk_strapi::http
{

class connection : public std::enable_shared_from_this<connection>
{
public:
    enum class phase {
        idle, // no byte of a request
        head,
        body,
        handling, // the handler keeps its own deadline
        writing, // the peer does not read its response
        lingering, // refused early: the rest of the request is read and dropped
    };
    using time_point = std::chrono::steady_clock::time_point;

    connection(server& owner, boost::asio::ip::tcp::socket socket);

    boost::asio::awaitable<void> run();

    [[nodiscard]] phase doing() const { return phase_; }
    [[nodiscard]] time_point deadline() const { return deadline_; }
    [[nodiscard]] bool closed() const { return closed_; }
    // The deadline passed: a partly read request is answered with 408; any other connection is closed.
    void expire();
    // Drops a partly read body at once, so that a smaller one has room, and answers with 503.
    void abandon_body();
    void close();
    [[nodiscard]] std::size_t body_bytes_held() const { return body_bytes_counted_; }

    std::list<std::shared_ptr<connection>>::iterator place; // in the server's list

private:
    boost::asio::awaitable<bool> serve_one();
    boost::asio::awaitable<bool> read_request();
    boost::asio::awaitable<bool> receive();
    boost::asio::awaitable<bool> answer_request();
    boost::asio::awaitable<response> handled();
    boost::asio::awaitable<bool> write(response const& answer, bool keep_alive);
    boost::asio::awaitable<bool> send_all(std::string_view bytes);
    boost::asio::awaitable<void> refuse(fault why);
    boost::asio::awaitable<void> linger();

    void enter(phase next);
    void update_phase();
    [[nodiscard]] bool account_body();
    void drop_body();

    server& owner_;
    boost::asio::ip::tcp::socket socket_;
    request_reader reader_;
    std::string out_;
    std::size_t body_bytes_counted_{0};
    phase phase_{phase::idle};
    time_point first_byte_{};
    time_point deadline_{};
    bool expired_{false};
    bool body_abandoned_{false};
    bool closed_{false};
};

}
