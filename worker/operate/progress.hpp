#pragma once

// Shows the progress of a command on standard error: a bar with rate and time left on a terminal, a plain line every
// ten seconds elsewhere. Results go to standard output, so that they can be redirected alone.

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace clerk_strapi::worker::commands
{

class progress
{
public:
    using clock = std::chrono::steady_clock;
    struct surroundings
    {
        bool terminal{false}; // redraw one line with a bar
        std::function<clock::time_point()> now;
        std::function<void(std::string const&)> write;
    };
    // Writes to standard error.
    [[nodiscard]] static surroundings standard_error();

    // `what` starts each line ("replay"), `unit` is what is counted ("events"). No total: the end is unknown.
    progress(
        std::string what, std::string unit, std::optional<std::uint64_t> total, surroundings around = standard_error());
    progress(progress const&) = delete;
    progress& operator=(progress const&) = delete;
    ~progress(); // clears the bar

    void advance(std::uint64_t count);
    void expect(std::uint64_t total) { total_ = total; }
    [[nodiscard]] std::uint64_t done() const { return done_; }

    // The current line, without its end. Public for tests.
    [[nodiscard]] std::string line() const;

private:
    void show();
    [[nodiscard]] double rate() const;

    std::string what_;
    std::string unit_;
    std::optional<std::uint64_t> total_;
    surroundings around_;
    clock::time_point begun_;
    clock::time_point shown_;
    std::uint64_t done_{0};
    bool drawn_{false};
};

}
