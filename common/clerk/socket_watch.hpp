#pragma once

// Ends a call that takes too long, from a thread of its own. The library's time-outs begin anew with every byte, so a
// peer that sends one now and then would hold a caller for ever: only shutting its socket down ends all waits.

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

namespace clerk_strapi::clerk
{

class socket_watch
{
public:
    using time_point = std::chrono::steady_clock::time_point;

    socket_watch();
    ~socket_watch();
    socket_watch(socket_watch const&) = delete;
    socket_watch& operator=(socket_watch const&) = delete;

    // This socket serves the calls from now on. A duplicate is kept: the number may mean another file by the time it
    // is shut down.
    void watch(int descriptor);
    void begin(time_point until);
    void end();
    // Ends the call under way and all later ones.
    void stop();
    [[nodiscard]] bool stopped() const;

private:
    void run();
    void close_socket();

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    int socket_{-1};
    std::optional<time_point> until_; // of the call under way
    bool stopped_{false};
    bool ended_{false};
    std::thread thread_; // last: it uses all of the above
};

}
