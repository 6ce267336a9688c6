#pragma once

// One JSON object a line on standard error (text when that is a terminal), written by a thread of its own.
// A blocked sink never blocks a request: the queue is bounded and drops its oldest lines, counted (F32).
// Never an e-mail, a name, a token or a secret in a field (I6).
//
//     log::info("listening", {{"address", address}, {"port", 8080}});
//
// Every line has ts, level, program, version and msg; the other keys are listed in the README beside this file. A field
// whose text is empty is left out. Text has neither program nor version: who reads it knows what he started.
//
// Levels by duty. error: somebody must act, it does not heal. warning: it heals or waits, but look. info: start, stop,
// rebalance, back again. debug: per event; what a stranger can cause is at most debug.

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

namespace clerk_strapi::log
{

enum class level { debug, info, warning, error };
enum class format { automatic, json, text }; // automatic: text on a terminal, else JSON

class value
{
public:
    value(std::string_view text) // NOLINT: a field is written as {{"name", anything}}
        : held_{text}
    {
    }
    value(char const* text)
        : held_{std::string_view{text}}
    {
    }
    value(std::string const& text)
        : held_{std::string_view{text}}
    {
    }
    value(bool flag)
        : held_{flag}
    {
    }
    value(double number)
        : held_{number}
    {
    }
    template <class Integer>
    requires(std::is_integral_v<Integer> && !std::is_same_v<Integer, bool>) value(Integer number)
        : held_{static_cast<std::int64_t>(number)}
    {
    }
    value(std::chrono::milliseconds duration)
        : held_{static_cast<std::int64_t>(duration.count())}
    {
    }

    void append_json(std::string& out) const;
    void append_text(std::string& out) const;
    [[nodiscard]] bool is_empty_text() const;

private:
    std::variant<std::string_view, bool, std::int64_t, double> held_; // views: a field lives as long as its call
};

struct field
{
    std::string_view name;
    value content;
};
using fields = std::initializer_list<field>;

struct options
{
    level lowest{level::info};
    format style{format::automatic};
    int descriptor{2};
    std::string program; // on every line
    std::string version;
};

// Before start() lines are written at once by the caller; so are they after stop().
void start(options const& chosen);
// Waits at most a second for the queue to drain: a sink that is stuck must not keep us from exiting.
void stop();

[[nodiscard]] bool enabled(level wanted);
// Lines of this process that reached nobody: pushed out of the queue, or refused by the sink (a full disk).
[[nodiscard]] std::size_t dropped_lines();

void write(level at, std::string_view message, fields extra = {});
inline void debug(std::string_view message, fields extra = {})
{
    if (enabled(level::debug)) write(level::debug, message, extra);
}
inline void info(std::string_view message, fields extra = {}) { write(level::info, message, extra); }
inline void warning(std::string_view message, fields extra = {}) { write(level::warning, message, extra); }
inline void error(std::string_view message, fields extra = {}) { write(level::error, message, extra); }

// The line itself, without its end: what the tests look at. `origin` is what origin_members() made.
[[nodiscard]] std::string json_line(level at, std::string_view message, fields extra,
    std::chrono::system_clock::time_point now, std::string_view origin = {});
[[nodiscard]] std::string origin_members(std::string_view program, std::string_view version);
[[nodiscard]] std::string text_line(
    level at, std::string_view message, fields extra, std::chrono::system_clock::time_point now);

// For what repeats while a fault lasts: the first is let through, then one an interval, which tells how many
// were held back. Safe from several threads.
//
//     static log::repeat_limit limit{10s};
//     if (auto const held_back = limit.pass()) log::warning("broker away", {{"held_back", *held_back}});
class repeat_limit
{
public:
    explicit repeat_limit(std::chrono::steady_clock::duration interval)
        : interval_{interval}
    {
    }
    [[nodiscard]] std::optional<std::uint64_t> pass(
        std::chrono::steady_clock::time_point now = std::chrono::steady_clock::now());

private:
    std::chrono::steady_clock::duration interval_;
    std::mutex mutex_;
    std::optional<std::chrono::steady_clock::time_point> last_;
    std::uint64_t held_back_{0};
};

}
