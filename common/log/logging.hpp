#pragma once

// One JSON object per line on standard error (text when that is a terminal), written by its own thread. A blocked sink
// never blocks the caller: the queue is bounded, drops its oldest lines and counts them (F32). A field never holds an
// e-mail address, a name, a token or a secret (I6).
//
//     log::info("listening", {{"address", address}, {"port", 8080}});
//
// Every line has ts, level, program, version and msg; the README beside this file lists the other keys and the levels.
// A field whose text is empty is left out. The text format has neither program nor version, because it is for the
// terminal on which the program was started.

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
    value(std::string_view text) // NOLINT: a field is written as {{"name", any value}}
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
    std::variant<std::string_view, bool, std::int64_t, double>
        held_; // a view is valid because a field lives no longer than its call
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

// Before start() and after stop() the caller writes its line itself, at once.
void start(options const& chosen);
// Waits at most a second for the queue to drain, because a stuck sink must not prevent the exit.
void stop();

[[nodiscard]] bool enabled(level wanted);
// Lines of this process that were dropped: by a full queue, or by a sink that failed (a full disk).
[[nodiscard]] std::size_t dropped_lines();

void write(level at, std::string_view message, fields extra = {});
inline void debug(std::string_view message, fields extra = {})
{
    if (enabled(level::debug)) write(level::debug, message, extra);
}
inline void info(std::string_view message, fields extra = {}) { write(level::info, message, extra); }
inline void warning(std::string_view message, fields extra = {}) { write(level::warning, message, extra); }
inline void error(std::string_view message, fields extra = {}) { write(level::error, message, extra); }

// The line without its line end, for tests too. `origin` is what origin_members() returns.
[[nodiscard]] std::string json_line(level at, std::string_view message, fields extra,
    std::chrono::system_clock::time_point now, std::string_view origin = {});
[[nodiscard]] std::string origin_members(std::string_view program, std::string_view version);
[[nodiscard]] std::string text_line(
    level at, std::string_view message, fields extra, std::chrono::system_clock::time_point now);

// For a message that repeats while a fault lasts: pass() allows the first one and then one per interval, and returns
// the number that it held back since the last. Thread-safe.
//
//     static log::repeat_limit limit{10s};
//     if (auto const held_back = limit.pass()) log::warning("no broker is reachable", {{"held_back", *held_back}});
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
