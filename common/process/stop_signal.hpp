#pragma once

// SIGTERM and SIGINT ask to stop, once; a second one leaves at once with 128 + its number. SIGPIPE is
// ignored (a peer that went away is an error of its write), so is SIGXFSZ (a log at its size limit is no reason to
// die); SIGHUP asks to read files again. One instance a process; the descriptor becomes readable at the request, so an
// event loop can wait for it.

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
    // For tests and for a program that ends by its own decision.
    void request() const;
    // How many SIGHUPs came: whoever keeps the last count knows whether to read his files again.
    [[nodiscard]] std::uint64_t hangups() const;
    // Readable once the stop is requested, and stays so. Do not read from it.
    [[nodiscard]] int descriptor() const;
};

}
