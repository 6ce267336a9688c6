// bench-latency: from a webhook's 200 to the user's row being visible to others. Sends at a fixed rate, while a second
// thread with a connection of its own polls once per millisecond for rows with higher ids; so a value is at most one
// poll interval too long, never too short. One line of JSON per round.

#include "common/postgres/statement.hpp"
#include "tests/bench/load.hpp"
#include "tests/bench/sample_users.hpp"
#include "tests/bench/signed_requests.hpp"

#include <CLI/CLI.hpp>

#include <pqxx/pqxx>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <exception>
#include <optional>
#include <stdexcept>
#include <thread>
#include <unordered_map>

#include <time.h>

namespace
{

using namespace clerk_strapi::bench;
namespace postgres = clerk_strapi::postgres;

constexpr auto ask_interval = std::chrono::milliseconds{1};
constexpr auto last_row_after = std::chrono::seconds{20};

struct options
{
    load_settings load;
    request_range range;
    std::string secret;
    std::string conninfo;
    double seconds{10};
    std::size_t rounds{5};
};

// When each user became visible.
class row_watch
{
public:
    row_watch(std::string const& conninfo, std::size_t expected)
        : connection_{conninfo}
        , expected_{expected}
    {
        connection_.prepare("newer", "select id, clerk_id from up_users where id > $1 order by id");
        pqxx::nontransaction work{connection_};
        last_ = postgres::exec_one(work, "select coalesce(max(id), 0) from up_users")[0].as<std::int64_t>();
    }

    // Until all are there, or the last is overdue.
    void run()
    {
        auto ask_at = clock::now();
        while (seen_.size() < expected_ && !overdue()) {
            ask_at = std::max(ask_at + ask_interval, clock::now());
            wait_until(ask_at);
            pqxx::nontransaction work{connection_};
            auto const rows = postgres::exec_prepared(work, "newer", last_);
            auto const now = clock::now();
            for (auto const& row : rows) {
                last_ = row[0].as<std::int64_t>();
                seen_.emplace(row[1].as<std::string>(), now);
            }
        }
    }

    void sending_ended() { ended_at_ = clock::now().time_since_epoch().count(); }
    [[nodiscard]] std::unordered_map<std::string, clock::time_point> const& seen() const { return seen_; }

private:
    [[nodiscard]] bool overdue() const
    {
        auto const ended = ended_at_.load();
        return ended != 0 && clock::now() > clock::time_point{clock::duration{ended}} + last_row_after;
    }

    static void wait_until(clock::time_point when)
    {
        auto const at = when.time_since_epoch();
        auto const seconds = std::chrono::duration_cast<std::chrono::seconds>(at);
        timespec const until{seconds.count(), static_cast<long>((at - seconds).count())};
        ::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr);
    }

    pqxx::connection connection_;
    std::size_t expected_;
    std::int64_t last_{0};
    std::unordered_map<std::string, clock::time_point> seen_;
    std::atomic<clock::rep> ended_at_{0};
};

void print_result(std::vector<double> waits, load_result const& sent, std::size_t missing)
{
    std::sort(waits.begin(), waits.end());
    auto answers = sent.answer_ms;
    std::sort(answers.begin(), answers.end());
    std::printf(R"({"webhooks":%zu,"missing":%zu,"p50_ms":%.3f,"p90_ms":%.3f,"p99_ms":%.3f,"max_ms":%.3f,)"
                R"("answer_p50_ms":%.3f,"answer_p99_ms":%.3f})"
                "\n",
        sent.accepted, missing, quantile(waits, 0.5), quantile(waits, 0.9), quantile(waits, 0.99),
        waits.empty() ? 0 : waits.back(), quantile(answers, 0.5), quantile(answers, 0.99));
    std::fflush(stdout);
}

void run_round(options const& chosen, request_range range)
{
    auto const requests = make_signed_requests(range, chosen.secret);
    std::vector<std::optional<clock::time_point>> accepted(range.count);
    auto load = chosen.load;
    load.accepted = [&](std::size_t request, clock::time_point when) { accepted[request] = when; };
    row_watch watch{chosen.conninfo, range.count};
    std::thread watcher{[&] { watch.run(); }};
    load_result sent;
    try {
        sent = send_all(requests, load);
    } catch (...) {
        watch.sending_ended();
        watcher.join();
        throw;
    }
    watch.sending_ended();
    watcher.join();

    std::vector<double> waits;
    std::size_t missing = 0;
    for (std::size_t i = 0; i < range.count; ++i) {
        if (!accepted[i]) continue;
        auto const found = watch.seen().find(make_user(range.series, i).clerk_id);
        if (found == watch.seen().end())
            ++missing;
        else
            waits.push_back(std::chrono::duration<double, std::milli>(found->second - *accepted[i]).count());
    }
    print_result(std::move(waits), sent, missing);
}

}

int main(int count, char** arguments)
try {
    options chosen;
    chosen.load.per_second = 200;
    CLI::App app{"From a webhook's 200 to its row being visible."};
    app.add_option("--to", chosen.load.port, "port of 127.0.0.1")->required();
    app.add_option("--secret", chosen.secret, "whsec_...")->required();
    app.add_option("--database", chosen.conninfo, "Strapi's database")->required();
    app.add_option("--rate", chosen.load.per_second, "webhooks a second");
    app.add_option("--seconds", chosen.seconds, "a round's length");
    app.add_option("--rounds", chosen.rounds, "how many");
    app.add_option("--series", chosen.range.series, "which users");
    CLI11_PARSE(app, count, arguments);
    auto range = chosen.range;
    range.count = static_cast<std::size_t>(chosen.load.per_second * chosen.seconds);
    for (std::size_t round = 0; round < chosen.rounds; ++round, ++range.series)
        run_round(chosen, range);
    return 0;
} catch (std::exception const& fault) {
    std::fprintf(stderr, "bench-latency: %s\n", fault.what());
    return 1;
}
