// crowd-load: connections that open and close (C7). It opens them to a port of this machine, at a rate or as fast as it
// can; every third sends nothing, every third leaves in the middle of its request, every third has sent a request and
// does not wait for the response. A fixed number stays open; the oldest is reset when the next one opens. Prints one
// line of JSON.

#include <CLI/CLI.hpp>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <exception>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace
{

using clock = std::chrono::steady_clock;

constexpr std::array<std::string_view, 3> words{"", "GET /nowh", "GET /nowhere HTTP/1.1\r\nHost: ingest\r\n\r\n"};

struct options
{
    std::uint16_t port{0}; // of 127.0.0.1
    double seconds{5};
    double per_second{0}; // 0: as fast as it goes
    std::size_t at_once{300};
    unsigned threads{1};
};

struct counts
{
    std::size_t established{0};
    std::size_t spoke{0}; // of those: sent half a request, or a whole one
    std::size_t not_taken{0}; // not accepted when their time was over: the program's accept queue was full
    std::size_t no_socket{0}; // this machine had no port or descriptor left

    counts& operator+=(counts const& other)
    {
        established += other.established;
        spoke += other.spoke;
        not_taken += other.not_taken;
        no_socket += other.no_socket;
        return *this;
    }
};

class crowd
{
public:
    explicit crowd(options const& chosen)
        : chosen_{chosen}
        , open_(chosen.at_once / chosen.threads, closed)
    {
        if (open_.empty()) throw std::runtime_error{"--at-once must be at least one a thread"};
    }

    counts run()
    {
        auto const begun = clock::now();
        auto const end = begun + as_duration(chosen_.seconds);
        auto const per_second = chosen_.per_second / chosen_.threads;
        for (std::size_t n = 0; clock::now() < end; ++n) {
            if (per_second > 0) keep_pace(begun + as_duration(static_cast<double>(n) / per_second));
            auto& place = open_[n % open_.size()];
            reset(place);
            place = connect();
            if (place != closed) speak(place, words[n % words.size()]);
        }
        for (auto& each : open_)
            reset(each);
        return counts_;
    }

private:
    static constexpr int closed = -1;

    static clock::duration as_duration(double seconds)
    {
        return std::chrono::duration_cast<clock::duration>(std::chrono::duration<double>{seconds});
    }

    static void keep_pace(clock::time_point due)
    {
        auto const ahead = std::chrono::duration_cast<std::chrono::nanoseconds>(due - clock::now()).count();
        if (ahead <= 0) return;
        timespec const patience{static_cast<time_t>(ahead / 1'000'000'000), static_cast<long>(ahead % 1'000'000'000)};
        ::ppoll(nullptr, 0, &patience, nullptr);
    }

    // Non-blocking: on this machine it is established at once, unless the program's accept queue is full.
    int connect()
    {
        int const descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(chosen_.port);
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (descriptor < 0) {
            ++counts_.no_socket;
            return closed;
        }
        if (::connect(descriptor, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0 || errno == EINPROGRESS)
            return descriptor;
        ++counts_.no_socket;
        ::close(descriptor);
        return closed;
    }

    void speak(int descriptor, std::string_view what)
    {
        if (!what.empty() && ::send(descriptor, what.data(), what.size(), MSG_NOSIGNAL) > 0) ++counts_.spoke;
    }

    // Not a FIN: the other side must notice while it reads or writes.
    void reset(int& descriptor)
    {
        if (descriptor == closed) return;
        sockaddr_in peer{};
        socklen_t size = sizeof peer;
        bool const still_there = ::getpeername(descriptor, reinterpret_cast<sockaddr*>(&peer), &size) == 0;
        ++(still_there ? counts_.established : counts_.not_taken);
        linger const at_once{1, 0};
        ::setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        ::close(descriptor);
        descriptor = closed;
    }

    options const& chosen_;
    std::vector<int> open_;
    counts counts_;
};

counts run_all(options const& chosen)
{
    std::vector<counts> each(chosen.threads);
    std::vector<std::thread> threads;
    for (auto& mine : each)
        threads.emplace_back([&chosen, &mine] { mine = crowd{chosen}.run(); });
    counts all;
    for (std::size_t i = 0; i < each.size(); ++i) {
        threads[i].join();
        all += each[i];
    }
    return all;
}

void run(options const& chosen)
{
    auto const begun = clock::now();
    auto const all = run_all(chosen);
    auto const seconds = std::chrono::duration<double>(clock::now() - begun).count();
    std::printf(R"({"seconds":%.3f,"established":%zu,"per_second":%.0f,"spoke":%zu,"not_taken":%zu,"no_socket":%zu})"
                "\n",
        seconds, all.established, static_cast<double>(all.established) / seconds, all.spoke, all.not_taken,
        all.no_socket);
}

}

int main(int count, char** arguments)
try {
    options chosen;
    CLI::App app{"Opens connections that come and go, and prints how many there were."};
    app.add_option("--to", chosen.port, "port of 127.0.0.1")->required();
    app.add_option("--seconds", chosen.seconds, "how long");
    app.add_option("--rate", chosen.per_second, "connections a second; without it as fast as it goes");
    app.add_option("--at-once", chosen.at_once, "how many are open at a time");
    app.add_option("--threads", chosen.threads, "how many open them")->check(CLI::Range(1, 2));
    CLI11_PARSE(app, count, arguments);
    run(chosen);
    return 0;
} catch (std::exception const& fault) {
    std::fprintf(stderr, "crowd-load: %s\n", fault.what());
    return 1;
}
