#include "tests/support/http_stand_in.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <future>

namespace clerk_strapi::tests
{

namespace asio = boost::asio;
using namespace std::chrono_literals;

http_stand_in::http_stand_in(manner first)
    : manner_{std::move(first)}
{
    listen();
    thread_ = std::thread{[this] {
        auto const work = asio::make_work_guard(io_);
        io_.run();
    }};
}

http_stand_in::~http_stand_in()
{
    io_.stop();
    thread_.join();
}

void http_stand_in::listen()
{
    acceptor_.open(tcp::v4());
    acceptor_.set_option(tcp::acceptor::reuse_address{true});
    acceptor_.bind({asio::ip::address_v4::loopback(), port_});
    acceptor_.listen();
    port_ = acceptor_.local_endpoint().port();
    asio::co_spawn(io_, accept(), asio::detached);
}

void http_stand_in::behave(manner next)
{
    {
        std::lock_guard const lock{mutex_};
        manner_ = std::move(next);
    }
    asio::post(io_, [this] { changed_.cancel(); });
}

void http_stand_in::answer(unsigned status, std::string body, std::string headers)
{
    behave({manner::kind::answer, status, std::move(body), std::move(headers)});
}

void http_stand_in::behave_at(std::string const& target, manner next)
{
    {
        std::lock_guard const lock{mutex_};
        at_[target] = std::move(next);
    }
    asio::post(io_, [this] { changed_.cancel(); });
}

void http_stand_in::go_away()
{
    std::promise<void> gone;
    asio::post(io_, [&] {
        acceptor_.close();
        for (auto const& each : sockets_) {
            boost::system::error_code ignored;
            if (auto const socket = each.lock()) socket->close(ignored);
        }
        sockets_.clear();
        gone.set_value();
    });
    gone.get_future().wait();
}

void http_stand_in::come_back()
{
    std::promise<void> back;
    asio::post(io_, [&] {
        listen();
        back.set_value();
    });
    back.get_future().wait();
}

std::size_t http_stand_in::requests() const
{
    std::lock_guard const lock{mutex_};
    return requests_;
}

std::size_t http_stand_in::connections() const
{
    std::lock_guard const lock{mutex_};
    return connections_;
}

std::string http_stand_in::last_request() const
{
    std::lock_guard const lock{mutex_};
    return last_;
}

manner http_stand_in::manner_for(std::string const& target) const
{
    std::lock_guard const lock{mutex_};
    auto const own = at_.find(target);
    return own == at_.end() ? manner_ : own->second;
}

asio::awaitable<void> http_stand_in::accept()
{
    for (;;) {
        boost::system::error_code failed;
        auto socket = co_await acceptor_.async_accept(asio::redirect_error(asio::use_awaitable, failed));
        if (failed) co_return;
        auto const shared = std::make_shared<tcp::socket>(std::move(socket));
        sockets_.push_back(shared);
        {
            std::lock_guard const lock{mutex_};
            ++connections_;
        }
        asio::co_spawn(io_, serve(shared), asio::detached);
    }
}

asio::awaitable<void> http_stand_in::serve(std::shared_ptr<tcp::socket> socket)
{
    std::string buffer;
    for (bool open = true; open;) {
        boost::system::error_code failed;
        auto const bytes = co_await asio::async_read_until(
            *socket, asio::dynamic_buffer(buffer), "\r\n\r\n", asio::redirect_error(asio::use_awaitable, failed));
        if (failed) co_return;
        auto const head = buffer.substr(0, bytes);
        buffer.erase(0, bytes);
        {
            std::lock_guard const lock{mutex_};
            ++requests_;
            last_ = head;
        }
        auto const from = head.find(' ') + 1;
        open = co_await reply(*socket, head.substr(from, head.find(' ', from) - from));
    }
    boost::system::error_code ignored;
    socket->close(ignored);
}

// Whether the connection may serve another request.
asio::awaitable<bool> http_stand_in::reply(tcp::socket& socket, std::string target)
{
    for (;;) {
        auto const how = manner_for(target);
        auto const head =
            "HTTP/1.1 " + std::to_string(how.status) + " Test\r\nContent-Type: application/json\r\n" + how.headers;
        auto const sized = head + "Content-Length: " + std::to_string(how.body.size()) + "\r\n\r\n";
        switch (how.what) {
        case manner::kind::answer: co_await write(socket, sized + how.body); co_return socket.is_open();
        case manner::kind::hang: {
            boost::system::error_code cancelled;
            changed_.expires_after(1h);
            co_await changed_.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
            continue;
        }
        case manner::kind::dribble_head: co_await dribble(socket, head + "X-Slow: ", 'x'); co_return false;
        case manner::kind::dribble_body:
            co_await dribble(socket, head + "Content-Length: 100000\r\n\r\n", ' ');
            co_return false;
        case manner::kind::cut:
            co_await write(socket, sized + how.body.substr(0, how.body.size() / 2));
            co_return false;
        case manner::kind::huge: {
            co_await write(socket, head + "Transfer-Encoding: chunked\r\n\r\n");
            auto const chunk = "10000\r\n" + std::string(0x10000, ' ') + "\r\n";
            while (socket.is_open())
                co_await write(socket, chunk);
            co_return false;
        }
        case manner::kind::close: co_return false;
        }
    }
}

asio::awaitable<void> http_stand_in::write(tcp::socket& socket, std::string text)
{
    boost::system::error_code failed;
    co_await asio::async_write(socket, asio::buffer(text), asio::redirect_error(asio::use_awaitable, failed));
    if (failed) socket.close(failed);
}

asio::awaitable<void> http_stand_in::dribble(tcp::socket& socket, std::string first, char each)
{
    co_await write(socket, std::move(first));
    asio::steady_timer timer{io_};
    while (socket.is_open()) {
        timer.expires_after(20ms);
        co_await timer.async_wait(asio::use_awaitable);
        co_await write(socket, std::string(1, each));
    }
}

}
