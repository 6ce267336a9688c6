#include "common/log/logging.hpp"

#include "common/event/json_text.hpp"
#include "common/event/time_text.hpp"

#include <spdlog/async.h>
#include <spdlog/async_logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <fmt/format.h>
#include <memory>
#include <poll.h>
#include <thread>
#include <unistd.h>

namespace clerk_strapi::log
{
namespace
{

constexpr std::size_t queue_lines_max = 8192;
constexpr std::array<std::string_view, 4> level_names{"debug", "info", "warning", "error"};

std::string_view name_of(level at) { return level_names[static_cast<std::size_t>(at)]; }

// Another process with the same descriptor may have made it non-blocking, so EAGAIN means: wait here.
bool try_again(int descriptor)
{
    if (errno == EINTR) return true;
    if (errno != EAGAIN) return false;
    pollfd waited{descriptor, POLLOUT, 0};
    return ::poll(&waited, 1, -1) >= 0 || errno == EINTR;
}

// What could not be written.
std::string_view write_all(int descriptor, std::string_view bytes)
{
    while (!bytes.empty()) {
        auto const written = ::write(descriptor, bytes.data(), bytes.size());
        if (written < 0 && try_again(descriptor)) continue;
        if (written < 0) return bytes;
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return {};
}

std::atomic<std::size_t> refused_by_sink{0};
std::atomic<std::size_t> dropped_earlier{0}; // by logs that were stopped

class descriptor_sink final : public spdlog::sinks::base_sink<std::mutex>
{
public:
    explicit descriptor_sink(int descriptor)
        : descriptor_{descriptor}
    {
    }

private:
    void sink_it_(spdlog::details::log_msg const& line) override
    {
        std::string_view const text{line.payload.data(), line.payload.size()};
        // A full disk may have cut the last line off. A line end first, so that this line does not continue it.
        if (cut_off_ && !write_all(descriptor_, "\n").empty()) {
            ++refused_by_sink;
            return;
        }
        auto const left = write_all(descriptor_, text);
        cut_off_ = !left.empty() && left.size() < text.size();
        if (!left.empty()) ++refused_by_sink;
    }
    void flush_() override {}

    int descriptor_;
    bool cut_off_{false};
};

struct running_log
{
    std::shared_ptr<spdlog::async_logger> logger;
    std::shared_ptr<spdlog::details::thread_pool> pool; // destroyed first: its thread writes lines of the logger
    std::string origin;
};

std::atomic<int> lowest_level{static_cast<int>(level::info)};
std::atomic<bool> as_json{true};
std::mutex running_mutex;
std::shared_ptr<running_log> running; // read with the mutex held; null before start and after stop

std::shared_ptr<running_log> current()
{
    std::lock_guard const lock{running_mutex};
    return running;
}

}

bool value::is_empty_text() const
{
    auto const* text = std::get_if<std::string_view>(&held_);
    return text != nullptr && text->empty();
}

void value::append_json(std::string& out) const
{
    if (auto const* text = std::get_if<std::string_view>(&held_)) return append_json_string(out, *text);
    append_text(out);
}

void value::append_text(std::string& out) const
{
    if (auto const* text = std::get_if<std::string_view>(&held_)) return append_json_string(out, *text);
    if (auto const* flag = std::get_if<bool>(&held_)) {
        out += *flag ? "true" : "false";
    } else if (auto const* integer = std::get_if<std::int64_t>(&held_)) {
        out += std::to_string(*integer);
    } else {
        auto const number = std::get<double>(held_);
        out += number == number && number - number == 0 ? fmt::format("{:.6g}", number) : "null"; // JSON has no NaN
    }
}

std::string origin_members(std::string_view program, std::string_view version)
{
    return R"(,"program":)" + json_string(program) + R"(,"version":)" + json_string(version);
}

std::string json_line(level at, std::string_view message, fields extra, std::chrono::system_clock::time_point now,
    std::string_view origin)
{
    std::string line = R"({"ts":")" + rfc3339(now) + R"(","level":")";
    line += name_of(at);
    line += '"';
    line += origin;
    line += R"(,"msg":)";
    append_json_string(line, message);
    for (auto const& [name, content] : extra) {
        if (content.is_empty_text()) continue;
        line += ',';
        append_json_string(line, name);
        line += ':';
        content.append_json(line);
    }
    line += '}';
    return line;
}

std::string text_line(level at, std::string_view message, fields extra, std::chrono::system_clock::time_point now)
{
    std::string line = fmt::format("{} {:<7} ", rfc3339(now), name_of(at));
    auto const quoted = json_string(message); // escaped like the values: a line stays one line
    line += std::string_view{quoted}.substr(1, quoted.size() - 2);
    for (auto const& [name, content] : extra) {
        if (content.is_empty_text()) continue;
        line += ' ';
        line += name;
        line += '=';
        content.append_text(line);
    }
    return line;
}

void start(options const& chosen)
{
    lowest_level = static_cast<int>(chosen.lowest);
    as_json = chosen.style == format::json || (chosen.style == format::automatic && ::isatty(chosen.descriptor) == 0);

    auto next = std::make_shared<running_log>();
    next->pool = std::make_shared<spdlog::details::thread_pool>(queue_lines_max, 1);
    next->logger = std::make_shared<spdlog::async_logger>("log", std::make_shared<descriptor_sink>(chosen.descriptor),
        next->pool, spdlog::async_overflow_policy::overrun_oldest);
    next->logger->set_level(spdlog::level::trace);
    next->origin = origin_members(chosen.program, chosen.version);
    std::lock_guard const lock{running_mutex};
    running = std::move(next);
}

void stop()
{
    std::shared_ptr<running_log> last;
    {
        std::lock_guard const lock{running_mutex};
        last = std::exchange(running, nullptr);
    }
    if (!last) return;
    dropped_earlier += last->pool->overrun_counter();

    // The pool's destructor joins its thread, which may be stuck in a write. So another thread runs the destructor, and
    // this one waits for at most a second.
    auto const drained = std::make_shared<std::atomic<bool>>(false);
    std::thread([last = std::move(last), drained]() mutable {
        last.reset();
        *drained = true;
    }).detach();
    auto const deadline = std::chrono::steady_clock::now() + std::chrono::seconds{1};
    while (!*drained && std::chrono::steady_clock::now() < deadline)
        std::this_thread::sleep_for(std::chrono::milliseconds{1});
}

bool enabled(level wanted) { return static_cast<int>(wanted) >= lowest_level.load(std::memory_order_relaxed); }

std::size_t dropped_lines()
{
    auto const log = current();
    return (log ? log->pool->overrun_counter() : 0) + dropped_earlier + refused_by_sink;
}

void write(level at, std::string_view message, fields extra)
{
    if (!enabled(at)) return;
    auto const now = std::chrono::system_clock::now();
    auto const log = current();
    auto line = as_json ? json_line(at, message, extra, now, log ? std::string_view{log->origin} : std::string_view{})
                        : text_line(at, message, extra, now);
    line += '\n';
    if (log) {
        log->logger->log(spdlog::level::info, spdlog::string_view_t{line.data(), line.size()});
        return;
    }
    write_all(STDERR_FILENO, line);
}

std::optional<std::uint64_t> repeat_limit::pass(std::chrono::steady_clock::time_point now)
{
    std::lock_guard const lock{mutex_};
    if (last_ && now - *last_ < interval_) {
        ++held_back_;
        return std::nullopt;
    }
    last_ = now;
    return std::exchange(held_back_, 0);
}

}
