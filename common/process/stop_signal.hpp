#pragma once

// The first SIGTERM or SIGINT requests a stop; the second one exits at once with 128 + its number. SIGHUP is counted,
// and the program reads its files again. SIGPIPE is ignored, because a closed connection is an error of its write;
// SIGXFSZ is ignored, because a log at its size limit must not end the program. One instance per process. Its
// descriptor becomes readable with the request, so that an event loop can wait for it.

#include <chrono>
#include <cstdint>

namespace clerk_strapi
{

class stop_signal
{
public:
    stop_signal(); // installs the handlers
    ~stop_signal();
    stop_signal(stop_signal const&) = delete;
    stop_signal& operator=(stop_signal const&) = delete;

    [[nodiscard]] bool requested() const;
    // True when the stop was requested within the time.
    bool wait_for(std::chrono::milliseconds time) const;
    // For tests, and for a program that stops without a signal.
    void request() const;
    // How many SIGHUPs came. A caller that keeps the last count can compare, and read its files again.
    [[nodiscard]] std::uint64_t hangups() const;
    // Readable from the request on, for ever. Do not read from it.
    [[nodiscard]] int descriptor() const;
};

}
