#include "worker/operate/progress.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iostream>

#include <unistd.h>

namespace clerk_strapi::worker::commands
{
namespace
{

using namespace std::chrono_literals;

constexpr auto between_bars = 200ms;
constexpr auto between_lines = 10s;
constexpr std::size_t bar_width = 24;

std::string time_text(double seconds)
{
    auto const whole = static_cast<std::int64_t>(std::ceil(seconds));
    if (whole < 60) return std::to_string(whole) + " s";
    if (whole < 3600) return std::to_string(whole / 60) + " min " + std::to_string(whole % 60) + " s";
    return std::to_string(whole / 3600) + " h " + std::to_string(whole / 60 % 60) + " min";
}

std::string bar(double share)
{
    auto const full = static_cast<std::size_t>(share * static_cast<double>(bar_width));
    return "[" + std::string(full, '#') + std::string(bar_width - full, '.') + "] ";
}

}

progress::surroundings progress::standard_error()
{
    return {::isatty(STDERR_FILENO) == 1, [] { return clock::now(); },
        [](std::string const& text) { std::cerr << text << std::flush; }};
}

progress::progress(std::string what, std::string unit, std::optional<std::uint64_t> total, surroundings around)
    : what_{std::move(what)}
    , unit_{std::move(unit)}
    , total_{total}
    , around_{std::move(around)}
    , begun_{around_.now()}
    , shown_{begun_}
{
}

progress::~progress()
{
    if (drawn_) around_.write("\r\x1b[K");
}

void progress::advance(std::uint64_t count)
{
    done_ += count;
    auto const interval = around_.terminal ? clock::duration{between_bars} : clock::duration{between_lines};
    if (around_.now() - shown_ < interval) return;
    shown_ = around_.now();
    show();
}

void progress::show()
{
    if (!around_.terminal) return around_.write(line() + "\n");
    drawn_ = true;
    around_.write("\r" + line() + "\x1b[K");
}

std::string progress::line() const
{
    auto text = what_ + ": ";
    auto const per_second = rate();
    if (total_ && *total_ > 0) {
        auto const share = std::min(1.0, static_cast<double>(done_) / static_cast<double>(*total_));
        if (around_.terminal) text += bar(share);
        text += std::to_string(static_cast<int>(share * 100)) + " %, " + std::to_string(done_) + " of "
            + std::to_string(*total_) + " " + unit_;
    } else {
        text += std::to_string(done_) + " " + unit_;
    }
    text += ", " + std::to_string(static_cast<std::int64_t>(per_second)) + "/s";
    if (total_ && *total_ > done_ && per_second > 0)
        text += ", " + time_text(static_cast<double>(*total_ - done_) / per_second) + " left";
    return text;
}

double progress::rate() const
{
    auto const seconds = std::chrono::duration<double>(around_.now() - begun_).count();
    return seconds > 0 ? static_cast<double>(done_) / seconds : 0;
}

}
