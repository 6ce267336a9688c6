#include "common/clerk/socket_watch.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace clerk_strapi::clerk
{
namespace
{

// The library may open one socket after another, for each address of a host: all of them end.
constexpr std::chrono::milliseconds again{20};

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
    socket_ = ::fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
}

void socket_watch::begin(time_point until)
{
    {
        std::lock_guard const lock{mutex_};
        until_ = until;
    }
    changed_.notify_all();
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

void socket_watch::run()
{
    std::unique_lock lock{mutex_};
    while (!ended_) {
        if (!until_) {
            changed_.wait(lock, [this] { return ended_ || until_; });
        } else if (!stopped_ && std::chrono::steady_clock::now() < *until_) {
            changed_.wait_until(lock, *until_);
        } else {
            if (socket_ >= 0) ::shutdown(socket_, SHUT_RDWR);
            changed_.wait_for(lock, again);
        }
    }
}

void socket_watch::close_socket()
{
    if (socket_ >= 0) ::close(socket_);
    socket_ = -1;
}

}
