#include "tests/bench/load.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <ctime>
#include <deque>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string_view>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace clerk_strapi::bench
{

namespace
{

constexpr auto look_interval = std::chrono::milliseconds{100}; // how late the deadline may be noticed

// Status and length of a response; `complete` when all of it is there.
struct answer
{
    int status{0};
    bool closes{false};
    bool says_when{false}; // Retry-After
    bool complete{false};
};

answer read_answer(std::string_view bytes)
{
    answer found;
    auto const head_end = bytes.find("\r\n\r\n");
    if (head_end == std::string_view::npos || bytes.size() < 12) return found;
    auto const head = bytes.substr(0, head_end);
    std::from_chars(bytes.data() + 9, bytes.data() + 12, found.status);
    found.closes = head.find("Connection: close") != std::string_view::npos;
    found.says_when = head.find("Retry-After: ") != std::string_view::npos;
    constexpr std::string_view length_name = "Content-Length: ";
    std::size_t length = 0;
    if (auto const at = head.find(length_name); at != std::string_view::npos)
        std::from_chars(head.data() + at + length_name.size(), head.data() + head.size(), length);
    found.complete = bytes.size() >= head_end + 4 + length;
    return found;
}

class generator
{
public:
    generator(std::span<std::string const> requests, load_settings const& settings)
        : requests_{requests}
        , settings_{settings}
        , poll_{::epoll_create1(0)}
        , connections_(settings.connections)
    {
        for (auto& one : connections_)
            if (!connect(one)) throw std::runtime_error{"connection refused on port " + std::to_string(settings.port)};
    }

    ~generator()
    {
        for (auto const& one : connections_)
            if (one.descriptor >= 0) ::close(one.descriptor);
        ::close(poll_);
    }

    load_result run()
    {
        result_.answer_ms.reserve(requests_.size());
        begun_ = clock::now();
        for (auto& one : connections_)
            free_.push_back(&one);
        while (ended_ < requests_.size() && alive_ > 0) {
            if (!sending_time_is_over())
                hand_out();
            else if (ended_ == next_)
                break;
            wait();
            if (clock::now() - begun_ > settings_.give_up_after)
                throw std::runtime_error{"only " + std::to_string(ended_) + " of " + std::to_string(requests_.size())
                    + " requests ended in time"};
        }
        result_.seconds = std::chrono::duration<double>(last_answer_ - begun_).count();
        return std::move(result_);
    }

private:
    struct connection
    {
        int descriptor{-1};
        bool busy{false};
        std::size_t request{0};
        std::size_t sent{0};
        clock::time_point due;
        std::string in;
    };

    bool connect(connection& one)
    {
        one.descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(settings_.port);
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (::connect(one.descriptor, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) {
            ::close(one.descriptor);
            one.descriptor = -1;
            return false;
        }
        int const on = 1;
        ::setsockopt(one.descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        epoll_event wanted{};
        wanted.events = EPOLLIN;
        wanted.data.ptr = &one;
        ::epoll_ctl(poll_, EPOLL_CTL_ADD, one.descriptor, &wanted);
        ++alive_;
        return true;
    }

    [[nodiscard]] bool sending_time_is_over() const
    {
        return settings_.send_for.count() > 0 && clock::now() - begun_ > settings_.send_for;
    }

    [[nodiscard]] clock::time_point due(std::size_t request) const
    {
        if (settings_.per_second <= 0) return clock::now();
        return begun_
            + std::chrono::duration_cast<clock::duration>(
                std::chrono::duration<double>(static_cast<double>(request) / settings_.per_second));
    }

    void hand_out()
    {
        while (!free_.empty() && next_ < requests_.size()) {
            auto const when = due(next_);
            if (settings_.per_second > 0 && when > clock::now()) return;
            auto& one = *free_.front();
            free_.pop_front();
            one.busy = true;
            one.request = next_++;
            one.sent = 0;
            one.due = when;
            send(one);
        }
    }

    // 2 KB nearly always fit; the rest waits for the socket.
    void send(connection& one)
    {
        auto const& text = requests_[one.request];
        while (one.sent < text.size()) {
            auto const sent =
                ::send(one.descriptor, text.data() + one.sent, text.size() - one.sent, MSG_DONTWAIT | MSG_NOSIGNAL);
            if (sent < 0 && errno == EAGAIN) return watch(one, EPOLLIN | EPOLLOUT);
            if (sent < 0) return lost(one);
            one.sent += static_cast<std::size_t>(sent);
        }
    }

    void watch(connection& one, std::uint32_t events)
    {
        epoll_event wanted{};
        wanted.events = events;
        wanted.data.ptr = &one;
        ::epoll_ctl(poll_, EPOLL_CTL_MOD, one.descriptor, &wanted);
    }

    void wait()
    {
        std::chrono::nanoseconds time = look_interval;
        if (settings_.per_second > 0 && !free_.empty() && next_ < requests_.size())
            time = std::clamp<std::chrono::nanoseconds>(due(next_) - clock::now(), std::chrono::nanoseconds{0}, time);
        timespec const patience{0, static_cast<long>(time.count())};
        epoll_event events[64];
        auto const count = ::epoll_pwait2(poll_, events, 64, &patience, nullptr);
        for (auto i = 0; i < count; ++i) {
            auto& one = *static_cast<connection*>(events[i].data.ptr);
            if ((events[i].events & EPOLLOUT) != 0) {
                watch(one, EPOLLIN);
                if (one.busy) send(one);
            }
            if ((events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0 && one.descriptor >= 0) receive(one);
        }
    }

    void receive(connection& one)
    {
        char bytes[4096];
        auto const got = ::recv(one.descriptor, bytes, sizeof bytes, MSG_DONTWAIT);
        if (got < 0 && errno == EAGAIN) return;
        if (got <= 0) return lost(one);
        one.in.append(bytes, static_cast<std::size_t>(got));
        auto const found = read_answer(one.in);
        if (!found.complete) return;
        last_answer_ = clock::now();
        one.in.clear();
        if (found.status == 200) {
            ++result_.accepted;
            result_.answer_ms.push_back(std::chrono::duration<double, std::milli>(last_answer_ - one.due).count());
            if (settings_.accepted) settings_.accepted(one.request, last_answer_);
        } else {
            ++result_.otherwise;
            if (found.status == 401) ++result_.refused;
            if (found.status == 503 && found.says_when) ++result_.shed;
        }
        ++ended_;
        one.busy = false;
        if (found.closes)
            reopen(one);
        else
            free_.push_back(&one);
    }

    // Without a response the outcome of the request is unknown: it is counted and not sent again.
    void lost(connection& one)
    {
        if (!settings_.until_refused) throw std::runtime_error{"a connection was lost"};
        if (one.busy) {
            ++result_.unanswered;
            ++ended_;
            one.busy = false;
        } else {
            std::erase(free_, &one);
        }
        reopen(one);
    }

    void reopen(connection& one)
    {
        ::close(one.descriptor);
        one.descriptor = -1;
        one.in.clear();
        --alive_;
        if (connect(one)) free_.push_back(&one);
    }

    std::span<std::string const> requests_;
    load_settings const& settings_;
    int poll_;
    std::vector<connection> connections_;
    std::deque<connection*> free_; // in turn, so that none stays idle until the server closes it
    std::size_t alive_{0};
    std::size_t next_{0};
    std::size_t ended_{0};
    clock::time_point begun_;
    clock::time_point last_answer_;
    load_result result_;
};

}

load_result send_all(std::span<std::string const> requests, load_settings const& settings)
{
    return generator{requests, settings}.run();
}

double quantile(std::vector<double> const& sorted, double part)
{
    if (sorted.empty()) return 0;
    auto const at = static_cast<std::size_t>(part * static_cast<double>(sorted.size()));
    return sorted[std::min(at, sorted.size() - 1)];
}

double cpu_seconds_of(int process)
{
    std::ifstream file{"/proc/" + std::to_string(process) + "/stat"};
    std::stringstream text;
    text << file.rdbuf();
    auto const all = text.str();
    auto const name_end = all.rfind(')');
    if (name_end == std::string::npos) throw std::runtime_error{"no process " + std::to_string(process)};
    std::istringstream fields{all.substr(name_end + 2)};
    std::string skipped;
    for (auto i = 0; i < 11; ++i)
        fields >> skipped;
    double user = 0;
    double system = 0;
    fields >> user >> system;
    return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

double cpu_seconds_of_us()
{
    timespec used{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) * 1e-9;
}

}
