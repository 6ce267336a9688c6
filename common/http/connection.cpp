#include "common/http/connection.hpp"

#include "common/process/fail_point.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <array>
#include <exception>
#include <utility>

namespace clerk_strapi::http
{
namespace
{

namespace asio = boost::asio;
using boost::system::error_code;
using clock = std::chrono::steady_clock;

constexpr std::string_view continue_line = "HTTP/1.1 100 Continue\r\n\r\n";

}

connection::connection(server& owner, asio::ip::tcp::socket socket)
    : owner_{owner}
    , socket_{std::move(socket)}
    , reader_{owner.limits_.head, owner.limits_.body_bytes_max}
{
    error_code ignored;
    socket_.set_option(asio::ip::tcp::no_delay{true}, ignored);
    socket_.non_blocking(true, ignored);
    // A new connection has the time of a header, not the idle time, to send its first bytes.
    deadline_ = clock::now() + owner.limits_.head_time;
}

asio::awaitable<void> connection::run()
{
    auto const alive = shared_from_this();
    while (co_await serve_one()) {}
    close();
    owner_.release_body_bytes(std::exchange(body_bytes_counted_, 0));
    owner_.connections_.erase(place);
}

void connection::expire()
{
    expired_ = true;
    error_code ignored;
    socket_.cancel(ignored);
}

void connection::abandon_body()
{
    body_abandoned_ = true;
    drop_body();
    error_code ignored;
    socket_.cancel(ignored);
}

// Frees the memory and stops counting it.
void connection::drop_body()
{
    reader_.drop_body();
    owner_.release_body_bytes(std::exchange(body_bytes_counted_, 0));
}

void connection::close()
{
    closed_ = true;
    error_code ignored;
    socket_.close(ignored);
}

void connection::enter(phase next)
{
    phase_ = next;
    auto const& limits = owner_.limits_;
    switch (next) {
    case phase::idle: deadline_ = clock::now() + limits.idle_time; break;
    case phase::head: deadline_ = first_byte_ + limits.head_time; break;
    case phase::body: deadline_ = first_byte_ + limits.request_time; break;
    case phase::handling: deadline_ = time_point::max(); break;
    case phase::writing: deadline_ = clock::now() + limits.write_time; break;
    case phase::lingering: deadline_ = clock::now() + limits.linger_time; break;
    }
}

asio::awaitable<bool> connection::serve_one()
{
    if (!co_await read_request()) co_return false;
    bool const again = co_await answer_request();
    owner_.release_body_bytes(std::exchange(body_bytes_counted_, 0));
    if (!again) co_return false;
    reader_.next();
    owner_.move_to_end(*this);
    if (reader_.idle()) {
        enter(phase::idle);
    } else {
        first_byte_ = clock::now();
        enter(phase::head);
    }
    co_return true;
}

// True when a whole request was read. False: the connection ends, and a refusal was sent if there was one.
asio::awaitable<bool> connection::read_request()
{
    for (;;) {
        auto const progress = reader_.idle() ? request_reader::progress::need_more : reader_.advance();
        if (!account_body()) {
            co_await refuse(fault::overloaded);
            co_return false;
        }
        switch (progress) {
        case request_reader::progress::complete: co_return true;
        case request_reader::progress::failed: co_await refuse(reader_.reason()); co_return false;
        case request_reader::progress::wants_continue:
            if (!co_await send_all(continue_line)) co_return false;
            break;
        case request_reader::progress::need_more: break;
        }
        update_phase();
        if (!co_await receive()) co_return false;
    }
}

void connection::update_phase()
{
    if (phase_ == phase::head && reader_.head_complete()) enter(phase::body);
}

bool connection::account_body()
{
    auto const now = reader_.body_bytes();
    if (now <= body_bytes_counted_) return true;
    if (!owner_.reserve_body_bytes(*this, now - body_bytes_counted_)) return false;
    body_bytes_counted_ = now;
    return true;
}

asio::awaitable<bool> connection::receive()
{
    auto const space = reader_.space();
    error_code failed;
    auto const bytes = co_await socket_.async_read_some(
        asio::buffer(space.data(), space.size()), asio::redirect_error(asio::use_awaitable, failed));
    if (body_abandoned_) {
        co_await refuse(fault::overloaded);
        co_return false;
    }
    if (expired_ && phase_ != phase::idle && failed == asio::error::operation_aborted) {
        co_await refuse(fault::timeout);
        co_return false;
    }
    if (failed || expired_) co_return false;
    if (phase_ == phase::idle) {
        first_byte_ = clock::now();
        enter(phase::head);
        owner_.move_to_end(*this);
    }
    reader_.received(bytes);
    co_return true;
}

asio::awaitable<bool> connection::answer_request()
{
    enter(phase::handling);
    auto const answer = co_await handled();
    bool const keep_alive = reader_.keep_alive() && !answer.close && !owner_.stopping_;
    bool const written = co_await write(answer, keep_alive);
    // Not after a response of the admin pages: they only serve GET.
    if (fail_points_built_in && reader_.request().method == "POST") fail_point(fail_at::http_after_answer);
    bool const again = written && keep_alive;
    co_return again;
}

// An exception of a handler is a bug: it is reported and answered with 500, and the service continues.
asio::awaitable<response> connection::handled()
{
    auto const request = reader_.request();
    std::string what;
    try {
        co_return co_await owner_.serve_(request);
    } catch (std::exception const& bug) {
        what = bug.what();
    }
    if (owner_.hooks_.trouble) owner_.hooks_.trouble("a handler threw an exception", what);
    if (owner_.hooks_.refused) owner_.hooks_.refused(fault::internal_error, request);
    co_return answer_for(fault::internal_error);
}

asio::awaitable<bool> connection::write(response const& answer, bool keep_alive)
{
    auto const request = reader_.request();
    response_framing const framing{owner_.date_, keep_alive, reader_.version_1_0(), request.method == "HEAD"};
    serialise(answer, framing, out_);
    co_return co_await send_all(out_);
}

// The kernel nearly always accepts everything at once. Only a slow reader makes the coroutine wait.
asio::awaitable<bool> connection::send_all(std::string_view bytes)
{
    error_code failed;
    while (!bytes.empty()) {
        bytes.remove_prefix(socket_.write_some(asio::buffer(bytes.data(), bytes.size()), failed));
        if (bytes.empty()) break;
        if (failed && failed != asio::error::would_block) co_return false;
        auto const before = phase_;
        enter(phase::writing);
        co_await socket_.async_wait(
            asio::ip::tcp::socket::wait_write, asio::redirect_error(asio::use_awaitable, failed));
        if (failed || expired_) co_return false;
        if (before != phase::handling) enter(before);
    }
    co_return true;
}

asio::awaitable<void> connection::refuse(fault why)
{
    expired_ = false; // the response has its own deadline
    if (owner_.hooks_.refused) owner_.hooks_.refused(why, reader_.request());
    drop_body();
    // Named, not a temporary: GCC 12 builds a wrong frame for a temporary of a co_await inside a condition.
    auto const answer = answer_for(why);
    bool const written = co_await write(answer, false);
    if (written) co_await linger();
}

// Closing a connection with unread bytes resets it, and the client would lose the response.
asio::awaitable<void> connection::linger()
{
    enter(phase::lingering);
    error_code failed;
    socket_.shutdown(asio::ip::tcp::socket::shutdown_send, failed);
    std::array<char, 4096> dropped;
    while (!failed && !expired_) {
        co_await socket_.async_read_some(asio::buffer(dropped), asio::redirect_error(asio::use_awaitable, failed));
    }
}

}
