#pragma once

// Threads for work that blocks (Clerk's API, PostgreSQL). A job runs on one of them and hands back what is to be done
// with its result on the io_context's thread. Bounded; a stop does not wait for work that hangs (a name look-up has
// no time-out of ours): such a thread is left behind, and nothing it still does reaches anybody.

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
    // Gets the number of its thread. Must own what it uses, because it may outlive everything else, and must not
    // throw. Its continuation may use whoever owns these threads: it runs only while they exist.
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

    // False: too many wait already.
    [[nodiscard]] bool run(job next);

private:
    struct shared;
    std::shared_ptr<shared> shared_;
    std::shared_ptr<bool> alive_{std::make_shared<bool>(true)}; // continuations look at it
    bounds limits_;
};

}
