#pragma once

// Reads Clerk's Backend API at a steady rate, because the limit is shared with the site's own backend. After a 429 it
// waits for Retry-After; after an error it retries with backoff and jitter. For one thread.

#include "common/clerk/api_client.hpp"
#include "common/event/backoff.hpp"
#include "common/process/stop_signal.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <string_view>
#include <thread>

namespace clerk_strapi::worker
{

struct reader_settings
{
    std::string api_url;
    std::function<secret()> key;
    double requests_per_second{20};
    int tries_max{10}; // per request; a 429 does not count
    int first_tries_max{3}; // for the first request: a wrong address is reported soon
};

enum class reply_kind {
    answered, // any status except 429 and 5xx
    gave_up,
    interrupted, // a stop was requested
};

struct clerk_reply
{
    reply_kind kind{reply_kind::answered};
    unsigned status{0};
    std::string body;
    std::int64_t asked_at_ms{0}; // when the answered request began: part of a snapshot's version
    std::string why; // for gave_up
};

struct reader_counts
{
    std::uint64_t requests{0};
    std::uint64_t limited{0}; // responses with 429
    std::uint64_t failed{0}; // 5xx, unreachable, too slow
};

class clerk_reader
{
public:
    clerk_reader(reader_settings settings, stop_signal const& stop);
    ~clerk_reader();
    clerk_reader(clerk_reader const&) = delete;
    clerk_reader& operator=(clerk_reader const&) = delete;

    // `target` is path and query, percent-encoded: /v1/users?limit=500
    [[nodiscard]] clerk_reply get(std::string_view target);
    [[nodiscard]] reader_counts const& counts() const { return counts_; }

private:
    using clock = std::chrono::steady_clock;
    [[nodiscard]] bool wait_for_turn();
    [[nodiscard]] std::chrono::milliseconds wait_after(clerk::api_answer const& answer);
    [[nodiscard]] double chance() { return std::uniform_real_distribution<double>{0, 1}(random_); }

    reader_settings settings_;
    stop_signal const& stop_;
    clerk::api_client client_;
    reader_counts counts_;
    backoff pause_;
    clock::time_point next_turn_;
    bool answered_once_{false};
    std::mt19937 random_{std::random_device{}()};
    std::jthread interrupter_; // last member: ends a running call when a stop is requested
};

}
