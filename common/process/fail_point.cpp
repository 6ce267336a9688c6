#include "common/process/fail_point.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <optional>
#include <random>
#include <string_view>
#include <thread>
#include <unistd.h>

// Without the option nothing of this file is compiled.
#if CLERK_FAIL_POINTS_BUILT_IN

namespace clerk_strapi::fail_points
{

namespace
{

struct named_point
{
    fail_at where;
    std::string_view name;
};

constexpr std::array points{
    named_point{fail_at::ingest_before_verify, "ingest.before_verify"},
    named_point{fail_at::ingest_after_verify, "ingest.after_verify"},
    named_point{fail_at::ingest_after_produce, "ingest.after_produce"},
    named_point{fail_at::ingest_after_report, "ingest.after_report"},
    named_point{fail_at::http_after_answer, "http.after_answer"},
    named_point{fail_at::worker_after_poll, "worker.after_poll"},
    named_point{fail_at::worker_in_transaction, "worker.in_transaction"},
    named_point{fail_at::worker_after_commit, "worker.after_commit"},
    named_point{fail_at::worker_before_offset_commit, "worker.before_offset_commit"},
    named_point{fail_at::worker_after_park, "worker.after_park"},
    named_point{fail_at::worker_on_assigned, "worker.on_assigned"},
    named_point{fail_at::worker_on_revoked, "worker.on_revoked"},
};

enum class action { abort, stop, delay, error };

struct plan
{
    action what{action::abort};
    int delay_ms{0};
    unsigned percent{100};
    std::minstd_rand random;
};

[[noreturn]] void refuse(std::string_view text)
{
    std::fprintf(stderr, "CLERK_FAIL_POINTS: cannot read '%.*s'\n", static_cast<int>(text.size()), text.data());
    std::_Exit(2);
}

// Cuts the last mark and the number after it off.
std::optional<unsigned> take_number(std::string_view& text, char mark)
{
    auto const at = text.rfind(mark);
    if (at == std::string_view::npos) return std::nullopt;
    unsigned number = 0;
    auto const digits = text.substr(at + 1);
    auto const [end, fault] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (fault != std::errc{} || end != digits.data() + digits.size()) refuse(text);
    text = text.substr(0, at);
    return number;
}

plan read_plan(std::string_view text)
{
    plan one;
    one.random.seed(take_number(text, '@').value_or(1));
    one.percent = take_number(text, '%').value_or(100);
    if (auto const ms = take_number(text, ':')) one.delay_ms = static_cast<int>(*ms);
    if (text == "abort")
        one.what = action::abort;
    else if (text == "stop")
        one.what = action::stop;
    else if (text == "delay")
        one.what = action::delay;
    else if (text == "error")
        one.what = action::error;
    else
        refuse(text);
    return one;
}

fail_at read_point(std::string_view name)
{
    auto const* const found =
        std::find_if(points.begin(), points.end(), [&](auto const& point) { return point.name == name; });
    if (found == points.end()) refuse(name);
    return found->where;
}

std::map<fail_at, plan> read_plans()
{
    std::map<fail_at, plan> plans;
    char const* const configured = std::getenv("CLERK_FAIL_POINTS");
    for (std::string_view rest = configured == nullptr ? "" : configured; !rest.empty();) {
        auto const one = rest.substr(0, rest.find(','));
        rest.remove_prefix(std::min(rest.size(), one.size() + 1));
        auto const equals = one.find('=');
        if (equals == std::string_view::npos) refuse(one);
        plans.emplace(read_point(one.substr(0, equals)), read_plan(one.substr(equals + 1)));
    }
    return plans;
}

bool act(plan const& one)
{
    switch (one.what) {
    case action::abort: ::kill(::getpid(), SIGKILL); return false;
    case action::stop: ::kill(::getpid(), SIGSTOP); return false;
    case action::delay: std::this_thread::sleep_for(std::chrono::milliseconds{one.delay_ms}); return false;
    case action::error: return true;
    }
    return false;
}

}

bool pass(fail_at point)
{
    static std::mutex mutex;
    static auto plans = read_plans();
    std::optional<plan> due;
    {
        std::lock_guard const lock{mutex};
        auto const found = plans.find(point);
        if (found != plans.end() && found->second.random() % 100 < found->second.percent) due = found->second;
        if (due && due->what == action::stop) plans.erase(found); // once only
    }
    return due && act(*due);
}

}

#endif
