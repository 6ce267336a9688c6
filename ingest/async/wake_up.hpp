#pragma once

// One timer for many deadlines: it calls `ring` once, at the earliest time that was set; the callee then sets the next.
// Runs on the io_context's thread.

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <functional>
#include <utility>

namespace clerk_strapi::ingest
{

class wake_up
{
public:
    wake_up(boost::asio::io_context& io, std::function<void()> ring)
        : timer_{io}
        , ring_{std::move(ring)}
    {
    }

    // A time later than the one already set changes nothing.
    void at(std::chrono::steady_clock::time_point by)
    {
        if (by >= set_) return;
        set_ = by;
        timer_.expires_at(by);
        timer_.async_wait([this](boost::system::error_code cancelled) {
            if (cancelled) return;
            set_ = std::chrono::steady_clock::time_point::max();
            ring_();
        });
    }

private:
    boost::asio::steady_timer timer_;
    std::function<void()> ring_;
    std::chrono::steady_clock::time_point set_{std::chrono::steady_clock::time_point::max()};
};

}
