#pragma once

// An io_context on a thread of its own, for edges that live on one: calls from a test wait for their answer, and the
// thread has ended before what ran on it goes.

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>

#include <future>
#include <thread>

namespace clerk_strapi::tests
{

class running_io
{
public:
    running_io();
    ~running_io() { stop(); }
    running_io(running_io const&) = delete;
    running_io& operator=(running_io const&) = delete;

    boost::asio::io_context context{1};
    void stop();

    // On its thread, waiting for the value.
    auto on_thread(auto function)
    {
        std::packaged_task<decltype(function())()> task{std::move(function)};
        auto done = task.get_future();
        boost::asio::post(context, [&task] { task(); });
        return done.get();
    }
    // A coroutine of an edge; its arguments must live until the future has come.
    auto spawn(auto coroutine) { return boost::asio::co_spawn(context, std::move(coroutine), boost::asio::use_future); }

private:
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{context.get_executor()};
    std::thread thread_;
};

// Has the edge's thread ended before the edge does: declare it after both.
class stop_first
{
public:
    explicit stop_first(running_io& io)
        : io_{io}
    {
    }
    ~stop_first() { io_.stop(); }
    stop_first(stop_first const&) = delete;
    stop_first& operator=(stop_first const&) = delete;

private:
    running_io& io_;
};

}
