#pragma once

// Threads for blocking work (Clerk's API, PostgreSQL). A job runs on one of them and returns a continuation, which runs
// on the io_context's thread. The queue of jobs is bounded. A stop does not wait for a job that hangs (a name look-up
// has no timeout): such a thread is detached, and its result is dropped.

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>

namespace clerk_strapi::ingest
{

class helper_threads
{
public:
    using continuation = std::function<void()>;
    // Receives the number of its thread. Must own what it uses, because it may outlive every other object, and must not
    // throw. Its continuation may use the owner of these threads: it runs only while they exist.
    using job = std::function<continuation(std::size_t thread)>;

    struct bounds
    {
        std::size_t threads{1};
        std::size_t waiting_max{1};
        std::chrono::milliseconds stop_time{1'000};
    };
    helper_threads(boost::asio::io_context& io, bounds limits);
    ~helper_threads(); // on the io_context's thread, or after it
    helper_threads(helper_threads const&) = delete;
    helper_threads& operator=(helper_threads const&) = delete;

    // False: too many jobs are waiting.
    [[nodiscard]] bool run(job next);

private:
    struct shared;
    std::shared_ptr<shared> shared_;
    std::shared_ptr<bool> alive_{std::make_shared<bool>(true)}; // continuations check it
    bounds limits_;
};

}
