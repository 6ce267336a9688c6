#pragma once

// An io_context on its own thread, for objects that run on one. Calls from a test wait for the result, and the thread
// ends before these objects are destroyed.

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

    // Runs the function on the thread and waits for its value.
    auto on_thread(auto function)
    {
        std::packaged_task<decltype(function())()> task{std::move(function)};
        auto done = task.get_future();
        boost::asio::post(context, [&task] { task(); });
        return done.get();
    }
    // Starts a coroutine on the thread; its arguments must live until the future is ready.
    auto spawn(auto coroutine) { return boost::asio::co_spawn(context, std::move(coroutine), boost::asio::use_future); }

private:
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{context.get_executor()};
    std::thread thread_;
};

// Ends the thread before the object on it is destroyed: declare this after both.
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
