#pragma once

// Ends a call that takes too long, from a thread of its own, where a library's own time-outs do not: by shutting its
// socket down, which ends all waits. cpp-httplib's begin anew with every byte, so a peer that sends one now and then
// would hold a caller for ever; libpq has none for an answer.

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

    // This socket serves the calls from now on; -1: none. A duplicate is kept: the number may mean another file by the
    // time it is shut down.
    void watch(int descriptor);
    void begin(time_point until);
    // The call may take as long as it likes while the peer is heard: it is ended when no data came for so long. On TCP
    // alone: of other sockets the kernel does not tell, and nothing is ended.
    void begin_while_heard(std::chrono::milliseconds silence_max);
    void end();
    // Ends the call under way and all later ones.
    void stop();
    [[nodiscard]] bool stopped() const;
    // Whether the call under way, or the last one, was ended here.
    [[nodiscard]] bool cut() const;

private:
    void arm(time_point until, std::optional<std::chrono::milliseconds> silence_max);
    void run();
    void wait_until(std::unique_lock<std::mutex>& lock, time_point until);
    [[nodiscard]] bool put_off(time_point now);
    void close_socket();

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    int socket_{-1};
    std::optional<time_point> until_; // of the call under way
    std::optional<std::chrono::milliseconds> silence_max_; // of the same: data that came puts until_ off
    bool cut_{false};
    time_point wakes_at_{time_point::max()}; // the thread, by itself
    bool stopped_{false};
    bool ended_{false};
    std::thread thread_; // last: it uses all of the above
};

}
