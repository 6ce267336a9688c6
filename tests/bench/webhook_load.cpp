// bench-webhook-load: sends signed webhooks to clerk-ingest (or the same bytes to bench-http-echo) and prints one
// line of JSON. Everything is made and signed before the clock starts.

#include "tests/bench/load.hpp"
#include "tests/bench/sample_users.hpp"
#include "tests/bench/signed_requests.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <exception>

namespace
{

using namespace clerk_strapi::bench;

struct options
{
    load_settings load;
    request_range range;
    std::string secret;
    int process{0};
};

void run(options const& chosen)
{
    auto const requests = make_signed_requests(chosen.range, chosen.secret);
    auto const body_bytes = event_body(make_user(chosen.range.series, 0), "user.created").size();
    auto const cpu_before = chosen.process > 0 ? cpu_seconds_of(chosen.process) : 0;
    auto const own_before = cpu_seconds_of_us();
    auto result = send_all(requests, chosen.load);
    auto const own_cpu = cpu_seconds_of_us() - own_before;
    // A process that is stopped under load has ended by now.
    auto const cpu = chosen.process > 0 && !chosen.load.until_refused ? cpu_seconds_of(chosen.process) - cpu_before : 0;
    std::sort(result.answer_ms.begin(), result.answer_ms.end());
    std::printf(R"({"seconds":%.6f,"accepted":%zu,"otherwise":%zu,"unanswered":%zu,"cpu_s":%.3f,"own_cpu_s":%.3f,)"
                R"("p50_ms":%.3f,"p99_ms":%.3f,"refused":%zu,"shed":%zu,"body_bytes":%zu})"
                "\n",
        result.seconds, result.accepted, result.otherwise, result.unanswered, cpu, own_cpu,
        quantile(result.answer_ms, 0.5), quantile(result.answer_ms, 0.99), result.refused, result.shed, body_bytes);
}

}

int main(int count, char** arguments)
try {
    options chosen;
    CLI::App app{"Sends signed webhooks and prints what became of them."};
    app.add_option("--to", chosen.load.port, "port of 127.0.0.1")->required();
    app.add_option("--secret", chosen.secret, "whsec_...")->required();
    app.add_option("--requests", chosen.range.count, "how many")->required();
    app.add_option("--series", chosen.range.series, "which users");
    app.add_option("--connections", chosen.load.connections, "keep-alive connections");
    app.add_option("--rate", chosen.load.per_second, "requests a second; without it as fast as they are answered");
    app.add_option("--send-for", chosen.load.send_for, "seconds; then no more are sent");
    app.add_option("--process", chosen.process, "whose CPU is printed");
    app.add_flag("--until-refused", chosen.load.until_refused, "the other side is being stopped meanwhile");
    CLI11_PARSE(app, count, arguments);
    run(chosen);
    return 0;
} catch (std::exception const& fault) {
    std::fprintf(stderr, "bench-webhook-load: %s\n", fault.what());
    return 1;
}
