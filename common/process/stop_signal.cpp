#include "common/process/stop_signal.hpp"

#include <atomic>
#include <csignal>
#include <poll.h>
#include <stdexcept>
#include <sys/eventfd.h>
#include <unistd.h>

namespace clerk_strapi
{
namespace
{

// Global, because a signal handler has no arguments.
std::atomic<bool> stop_requested{false};
std::atomic<std::uint64_t> hangup_count{0};
std::atomic<int> wake_descriptor{-1};
static_assert(std::atomic<bool>::is_always_lock_free && std::atomic<int>::is_always_lock_free);

void request_stop()
{
    stop_requested = true;
    std::uint64_t const one = 1;
    [[maybe_unused]] auto const written = ::write(wake_descriptor, &one, sizeof one);
}

extern "C" void on_stop(int number)
{
    if (stop_requested) ::_exit(128 + number);
    request_stop();
}

extern "C" void on_hangup(int) { hangup_count.fetch_add(1, std::memory_order_relaxed); }

void install(int number, void (*handler)(int))
{
    struct sigaction action = {};
    action.sa_handler = handler;
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    ::sigaction(number, &action, nullptr);
}

}

stop_signal::stop_signal()
{
    int expected = -1;
    int const descriptor = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (descriptor < 0 || !wake_descriptor.compare_exchange_strong(expected, descriptor)) {
        throw std::logic_error{"stop_signal: a second instance, or no descriptor left"};
    }
    stop_requested = false;
    install(SIGTERM, on_stop);
    install(SIGINT, on_stop);
    install(SIGHUP, on_hangup);
    install(SIGPIPE, SIG_IGN);
    install(SIGXFSZ, SIG_IGN);
}

stop_signal::~stop_signal()
{
    install(SIGTERM, SIG_DFL);
    install(SIGINT, SIG_DFL);
    install(SIGHUP, SIG_IGN);
    ::close(wake_descriptor.exchange(-1));
}

bool stop_signal::requested() const { return stop_requested; }

bool stop_signal::wait_for(std::chrono::milliseconds time) const
{
    auto const deadline = std::chrono::steady_clock::now() + time;
    while (!stop_requested) {
        auto const left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
        if (left.count() <= 0) break;
        pollfd waited{wake_descriptor, POLLIN, 0};
        ::poll(&waited, 1, static_cast<int>(left.count()));
    }
    return stop_requested;
}

void stop_signal::request() const { request_stop(); }

std::uint64_t stop_signal::hangups() const { return hangup_count.load(std::memory_order_relaxed); }

int stop_signal::descriptor() const { return wake_descriptor; }

}
