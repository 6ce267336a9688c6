#pragma once

// Ends a call that takes too long, where the time-outs of a library do not: its own thread shuts the socket down, which
// ends every wait. cpp-httplib's time-out starts again with each byte, so a peer that sends one now and then would
// block the caller for ever. libpq has no time-out for a response.

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

namespace clerk_strapi
{

class socket_watch
{
public:
    using time_point = std::chrono::steady_clock::time_point;

    socket_watch();
    ~socket_watch();
    socket_watch(socket_watch const&) = delete;
    socket_watch& operator=(socket_watch const&) = delete;

    // The socket of the calls from now on; -1: none. A duplicate is kept, because the number may belong to another file
    // when the socket is shut down.
    void watch(int descriptor);
    void begin(time_point until);
    // Ends the call when no data came for `silence_max`; it may take any time while data comes. For TCP only: for other
    // sockets the kernel has no such value, and the call is not ended.
    void begin_with_silence_limit(std::chrono::milliseconds silence_max);
    void end();
    // Ends the current call and all later ones.
    void stop();
    [[nodiscard]] bool stopped() const;
    // Whether this object ended the current or last call.
    [[nodiscard]] bool cut() const;

private:
    void arm(time_point until, std::optional<std::chrono::milliseconds> silence_max);
    void run();
    void wait_until(std::unique_lock<std::mutex>& lock, time_point until);
    [[nodiscard]] bool postpone(time_point now);
    void close_socket();

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    int socket_{-1};
    std::optional<time_point> until_; // of the current call
    std::optional<std::chrono::milliseconds> silence_max_; // of the current call: data postpones until_
    bool cut_{false};
    time_point wakes_at_{time_point::max()}; // when the thread wakes without a notification
    bool stopped_{false};
    bool ended_{false};
    std::thread thread_; // last: it uses all members above
};

}
