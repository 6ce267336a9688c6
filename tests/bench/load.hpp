#pragma once

// A load generator for HTTP/1.1 on raw non-blocking sockets, one thread: a number of keep-alive connections, one
// request at a time on each, the requests made beforehand. It does little work per request, because it shares the
// processors with what it measures.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace clerk_strapi::bench
{

using clock = std::chrono::steady_clock;

struct load_settings
{
    std::uint16_t port{0}; // of 127.0.0.1
    std::size_t connections{64};
    double per_second{0}; // requests are due at this rate; 0: whenever a connection is free
    std::chrono::seconds send_for{0}; // then no more are sent; 0: until each was sent
    std::chrono::seconds give_up_after{120};
    // The other side is being stopped: a closed connection is opened again, and a refused one ends that connection.
    bool until_refused{false};
    std::function<void(std::size_t request, clock::time_point when)> accepted{}; // got 200
};

struct load_result
{
    double seconds{0}; // from the first byte sent to the last response
    std::size_t accepted{0};
    std::size_t otherwise{0}; // another status than 200
    std::size_t refused{0}; // of those: 401
    std::size_t shed{0}; // of those: 503 with Retry-After
    std::size_t unanswered{0};
    std::vector<double> answer_ms; // of the accepted: from the due (or sent) time to the response
};

// Sends each of them once, or as many as there is time for. Throws std::runtime_error when the port does not listen, or
// not all ended in time.
[[nodiscard]] load_result send_all(std::span<std::string const> requests, load_settings const& settings);

// Of ascending values; 0 of none.
[[nodiscard]] double quantile(std::vector<double> const& sorted, double part);

// CPU that a process has used so far, user and system, of all its threads.
[[nodiscard]] double cpu_seconds_of(int process);
[[nodiscard]] double cpu_seconds_of_us();

}
