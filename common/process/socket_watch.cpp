#include "common/process/socket_watch.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace clerk_strapi
{
namespace
{

using namespace std::chrono_literals;
using std::chrono::milliseconds;

// The library may open one socket per address of the host. Each of them must be ended.
constexpr auto again = 20ms;

// How long no data came; nothing when the kernel has no value.
std::optional<milliseconds> silence_of(int descriptor)
{
    tcp_info info{};
    socklen_t size = sizeof info;
    if (::getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return std::nullopt;
    return milliseconds{info.tcpi_last_data_recv};
}

}

socket_watch::socket_watch()
    : thread_{[this] { run(); }}
{
}

socket_watch::~socket_watch()
{
    {
        std::lock_guard const lock{mutex_};
        ended_ = true;
    }
    changed_.notify_all();
    thread_.join();
    close_socket();
}

void socket_watch::watch(int descriptor)
{
    std::lock_guard const lock{mutex_};
    close_socket();
    cut_ = false;
    socket_ = ::fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
}

void socket_watch::begin(time_point until) { arm(until, std::nullopt); }

void socket_watch::begin_with_silence_limit(milliseconds silence_max)
{
    arm(std::chrono::steady_clock::now() + silence_max, silence_max);
}

// The thread is woken only if it would wake too late: thousands of short calls a second cost it nothing.
void socket_watch::arm(time_point until, std::optional<milliseconds> silence_max)
{
    std::lock_guard const lock{mutex_};
    until_ = until;
    silence_max_ = silence_max;
    cut_ = false;
    if (until < wakes_at_ || stopped_) changed_.notify_all();
}

void socket_watch::end()
{
    std::lock_guard const lock{mutex_};
    until_.reset();
}

void socket_watch::stop()
{
    {
        std::lock_guard const lock{mutex_};
        stopped_ = true;
    }
    changed_.notify_all();
}

bool socket_watch::stopped() const
{
    std::lock_guard const lock{mutex_};
    return stopped_;
}

bool socket_watch::cut() const
{
    std::lock_guard const lock{mutex_};
    return cut_;
}

void socket_watch::run()
{
    std::unique_lock lock{mutex_};
    while (!ended_) {
        auto const now = std::chrono::steady_clock::now();
        if (!until_) {
            wait_until(lock, time_point::max());
        } else if (!stopped_ && now < *until_) {
            wait_until(lock, *until_);
        } else if (stopped_ || !postpone(now)) {
            cut_ = true;
            if (socket_ >= 0) ::shutdown(socket_, SHUT_RDWR);
            wait_until(lock, now + again);
        }
    }
}

void socket_watch::wait_until(std::unique_lock<std::mutex>& lock, time_point until)
{
    wakes_at_ = until;
    if (until == time_point::max())
        changed_.wait(lock);
    else
        changed_.wait_until(lock, until);
}

bool socket_watch::postpone(time_point now)
{
    if (!silence_max_ || cut_) return false;
    auto const silence = silence_of(socket_).value_or(0ms);
    if (silence >= *silence_max_) return false;
    until_ = now + (*silence_max_ - silence);
    return true;
}

void socket_watch::close_socket()
{
    if (socket_ >= 0) ::close(socket_);
    socket_ = -1;
}

}
