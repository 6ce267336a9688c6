#pragma once

// An HTTP server for tests of clients. It answers as configured, correctly or not, and records the requests. It has its
// own thread and a free port, and keeps every connection until the peer closes it.

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace clerk_strapi::tests
{

struct manner
{
    enum class kind {
        answer, // status, headers, body
        hang, // nothing, until another manner is set: then that one
        dribble_head, // an endless header, byte by byte
        dribble_body, // the body byte by byte, without the last one
        cut, // half the body, then the connection ends
        huge, // chunks without end
        close, // the request is read, and the connection ends
    };
    kind what{kind::answer};
    unsigned status{200};
    std::string body{"{}"};
    std::string headers{}; // whole lines
};

class http_stand_in
{
public:
    explicit http_stand_in(manner first = {});
    ~http_stand_in();
    http_stand_in(http_stand_in const&) = delete;
    http_stand_in& operator=(http_stand_in const&) = delete;

    [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
    [[nodiscard]] std::uint16_t port() const { return port_; }
    // For every request from now on, and for those that hang.
    void behave(manner next);
    void answer(unsigned status, std::string body, std::string headers = {});
    void hang() { behave({manner::kind::hang}); }
    // For one target; wins over the manner of all.
    void behave_at(std::string const& target, manner next);
    // Listens on the same port again.
    void go_away();
    void come_back();

    [[nodiscard]] std::size_t requests() const;
    [[nodiscard]] std::size_t connections() const;
    [[nodiscard]] std::string last_request() const; // its header, as received

private:
    using tcp = boost::asio::ip::tcp;
    void listen();
    boost::asio::awaitable<void> accept();
    boost::asio::awaitable<void> serve(std::shared_ptr<tcp::socket> socket);
    boost::asio::awaitable<bool> reply(tcp::socket& socket, std::string target);
    boost::asio::awaitable<void> write(tcp::socket& socket, std::string text);
    boost::asio::awaitable<void> dribble(tcp::socket& socket, std::string first, char each);
    [[nodiscard]] manner manner_for(std::string const& target) const;

    boost::asio::io_context io_{1};
    tcp::acceptor acceptor_{io_};
    boost::asio::steady_timer changed_{io_};
    std::vector<std::weak_ptr<tcp::socket>> sockets_;
    std::uint16_t port_{0};
    mutable std::mutex mutex_; // for the members below, which the test reads too
    manner manner_;
    std::map<std::string, manner> at_;
    std::size_t requests_{0};
    std::size_t connections_{0};
    std::string last_;
    std::thread thread_;
};

}
