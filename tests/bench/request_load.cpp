// bench-request-load: sends GET requests with the bearers of a file, one per line, to a server, and prints one
// line of JSON. Everything is made before the clock starts.

#include "tests/bench/load.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <fstream>
#include <stdexcept>

namespace
{

using namespace clerk_strapi::bench;

struct options
{
    load_settings load;
    std::string target;
    std::string bearers; // a file
    std::size_t times{1}; // each is sent, one round after the other
    int process{0};
};

std::vector<std::string> make_requests(options const& chosen)
{
    std::ifstream file{chosen.bearers};
    if (!file) throw std::runtime_error{"cannot read " + chosen.bearers};
    std::vector<std::string> once;
    for (std::string bearer; std::getline(file, bearer);)
        once.push_back(
            "GET " + chosen.target + " HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer " + bearer + "\r\n\r\n");
    std::vector<std::string> requests;
    requests.reserve(once.size() * chosen.times);
    for (std::size_t round = 0; round < chosen.times; ++round)
        requests.insert(requests.end(), once.begin(), once.end());
    return requests;
}

void run(options const& chosen)
{
    auto const requests = make_requests(chosen);
    auto const cpu_before = chosen.process > 0 ? cpu_seconds_of(chosen.process) : 0;
    auto const own_before = cpu_seconds_of_us();
    auto result = send_all(requests, chosen.load);
    auto const own_cpu = cpu_seconds_of_us() - own_before;
    auto const cpu = chosen.process > 0 ? cpu_seconds_of(chosen.process) - cpu_before : 0;
    std::sort(result.answer_ms.begin(), result.answer_ms.end());
    std::printf(R"({"seconds":%.6f,"accepted":%zu,"otherwise":%zu,"unanswered":%zu,"cpu_s":%.3f,"own_cpu_s":%.3f,)"
                R"("p50_ms":%.3f,"p99_ms":%.3f,"refused":%zu,"shed":%zu,"requests":%zu})"
                "\n",
        result.seconds, result.accepted, result.otherwise, result.unanswered, cpu, own_cpu,
        quantile(result.answer_ms, 0.5), quantile(result.answer_ms, 0.99), result.refused, result.shed,
        requests.size());
}

}

int main(int count, char** arguments)
try {
    options chosen;
    CLI::App app{"Sends GET requests with bearers and prints what became of them."};
    app.add_option("--to", chosen.load.port, "port of 127.0.0.1")->required();
    app.add_option("--target", chosen.target, "path and query")->required();
    app.add_option("--bearers", chosen.bearers, "a file with one a line")->required();
    app.add_option("--times", chosen.times, "how often each is sent");
    app.add_option("--connections", chosen.load.connections, "keep-alive connections");
    app.add_option("--rate", chosen.load.per_second, "requests a second; without it as fast as they are answered");
    app.add_option("--send-for", chosen.load.send_for, "seconds; then no more are sent");
    app.add_option("--process", chosen.process, "whose CPU is printed");
    CLI11_PARSE(app, count, arguments);
    run(chosen);
    return 0;
} catch (std::exception const& fault) {
    std::fprintf(stderr, "bench-request-load: %s\n", fault.what());
    return 1;
}
