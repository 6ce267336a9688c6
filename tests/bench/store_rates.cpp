// bench-store: how fast the worker's own code (decode_record, then strapi_store.apply) writes users into Strapi's
// tables, beside hand-written SQL for the same rows. The contenders alternate batch by batch, so that other work
// on the machine affects all of them alike. One line of JSON per round and contender.

#include "tests/bench/hand_written.hpp"
#include "tests/bench/load.hpp"
#include "tests/bench/sample_records.hpp"
#include "worker/apply/store.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <exception>
#include <functional>
#include <stdexcept>
#include <vector>

namespace
{

using namespace clerk_strapi;
using namespace clerk_strapi::bench;

constexpr std::size_t batch_users = 500;
constexpr std::uint64_t series_there = 1; // existing users
constexpr std::uint64_t series_new = 2;

struct options
{
    std::string conninfo;
    std::size_t fill{0};
    std::size_t rounds{0};
    std::size_t round_users{0}; // a contender
};

struct contender
{
    char const* name;
    std::function<void(std::size_t first)> batch; // the users [first, first + batch_users) of its own
    double seconds{0};
    double cpu_seconds{0};
};

void take_turns(std::vector<contender>& contenders, std::size_t users)
{
    for (std::size_t first = 0; first < users; first += batch_users) {
        for (std::size_t i = 0; i < contenders.size(); ++i) {
            // The contender that begins finds cold pages, so each begins in turn.
            auto& one = contenders[(i + first / batch_users) % contenders.size()];
            auto const cpu = cpu_seconds_of_us();
            auto const begun = clock::now();
            one.batch(first);
            one.seconds += std::chrono::duration<double>(clock::now() - begun).count();
            one.cpu_seconds += cpu_seconds_of_us() - cpu;
        }
    }
}

void print_result(char const* what, std::vector<contender> const& contenders, std::size_t users)
{
    for (auto const& one : contenders)
        std::printf("{\"what\":\"%s\",\"by\":\"%s\",\"users\":%zu,\"seconds\":%.6f,\"cpu_s\":%.6f}\n", what, one.name,
            users, one.seconds, one.cpu_seconds);
    std::fflush(stdout);
}

class store_bench
{
public:
    explicit store_bench(options const& chosen)
        : options_{chosen}
        , store_{[conninfo = chosen.conninfo] { return conninfo; }, settings()}
        , by_hand_{chosen.conninfo}
    {
    }

    void fill()
    {
        auto const records = records_of(series_there, 0, options_.fill, [](auto user) { return user; });
        std::vector<contender> one{{"store", [&](std::size_t first) { apply(records, first); }}};
        take_turns(one, options_.fill);
        print_result("fill", one, options_.fill);
    }

    void run_rounds()
    {
        for (std::size_t round = 0; round < options_.rounds; ++round) {
            insert_new(round);
            update_existing(round);
        }
    }

private:
    using change = std::function<sample_user(sample_user)>;

    static worker::store_settings settings()
    {
        worker::store_settings chosen;
        chosen.profile_types = {"user-profile"};
        return chosen;
    }

    static std::vector<sample_record> records_of(
        std::uint64_t series, std::size_t first, std::size_t count, change const& changed)
    {
        std::vector<sample_record> records;
        records.reserve(count);
        for (auto i = first; i < first + count; ++i)
            records.push_back(make_record(changed(make_user(series, i)), "user.updated"));
        return records;
    }

    static std::vector<ready_user> ready_new(std::size_t first, std::size_t count)
    {
        std::vector<ready_user> users;
        for (auto i = first; i < first + count; ++i)
            users.push_back(make_ready(make_user(series_new, i)));
        return users;
    }

    static std::vector<ready_user> ready_renamed(std::size_t first, std::size_t count)
    {
        std::vector<ready_user> users;
        for (auto i = first; i < first + count; ++i) {
            auto const before = make_user(series_there, i);
            users.push_back(make_ready(renamed(before), before.full_name()));
        }
        return users;
    }

    static std::span<ready_user const> batch_of(std::vector<ready_user> const& users, std::size_t first)
    {
        return std::span{users}.subspan(first, batch_users);
    }

    void apply(std::vector<sample_record> const& records, std::size_t first)
    {
        std::vector<user_event> events;
        events.reserve(batch_users);
        for (auto i = first; i < std::min(first + batch_users, records.size()); ++i) {
            auto event = decode(records[i]);
            if (!event) throw std::runtime_error{"a record cannot be decoded: " + std::string{event.error().name()}};
            events.push_back(std::move(*event));
        }
        ++offset_;
        auto const applied = store_.apply(events, {{"bench", "clerk.user-events", 0, offset_}});
        if (applied.status != worker::apply_status::applied)
            throw std::runtime_error{"a batch was not applied: " + applied.detail};
    }

    void insert_new(std::size_t round)
    {
        auto const count = options_.round_users;
        auto const first = round * 4 * count;
        auto const ours = records_of(series_new, first, count, [](auto user) { return user; });
        auto const values = ready_new(first + count, count);
        auto const arrays = ready_new(first + 2 * count, count);
        auto const copied = ready_new(first + 3 * count, count);
        std::vector<contender> contenders{
            {"store", [&](std::size_t at) { apply(ours, at); }},
            {"values", [&](std::size_t at) { by_hand_.insert_values(batch_of(values, at)); }},
            {"arrays", [&](std::size_t at) { by_hand_.insert_arrays(batch_of(arrays, at)); }},
            {"copy", [&](std::size_t at) { by_hand_.copy(batch_of(copied, at)); }},
        };
        take_turns(contenders, count);
        print_result("new", contenders, count);
    }

    // Each round takes users of the fill that no round before has touched.
    void update_existing(std::size_t round)
    {
        auto const count = options_.fill / (3 * options_.rounds) / batch_users * batch_users;
        auto const first = round * 3 * count;
        auto const ours = records_of(series_there, first, count, renamed);
        auto const both = ready_renamed(first + count, count);
        auto const alone = ready_renamed(first + 2 * count, count);
        std::vector<contender> contenders{
            {"store", [&](std::size_t at) { apply(ours, at); }},
            {"users and profiles", [&](std::size_t at) { by_hand_.update_with_profiles(batch_of(both, at)); }},
            {"users alone", [&](std::size_t at) { by_hand_.update_users_only(batch_of(alone, at)); }},
        };
        take_turns(contenders, count);
        print_result("update", contenders, count);

        auto const later =
            records_of(series_there, first, count, [](auto user) { return touched(renamed(std::move(user))); });
        std::vector<contender> unchanged{{"store", [&](std::size_t at) { apply(later, at); }}};
        take_turns(unchanged, count);
        print_result("unchanged", unchanged, count);
        std::vector<contender> duplicate{{"store", [&](std::size_t at) { apply(later, at); }}};
        take_turns(duplicate, count);
        print_result("duplicate", duplicate, count);
    }

    options const& options_;
    worker::strapi_store store_;
    hand_written by_hand_;
    std::int64_t offset_{0};
};

}

int main(int count, char** arguments)
try {
    options chosen;
    auto only_fill = false;
    CLI::App app{"Rates of the worker's store beside SQL written by hand."};
    app.add_option("--database", chosen.conninfo, "a migrated database with Strapi's tables")->required();
    app.add_option("--fill", chosen.fill, "users who are there (with --only-fill: made now)")->required();
    app.add_option("--rounds", chosen.rounds, "how many");
    app.add_option("--users", chosen.round_users, "new users a round and contender");
    app.add_flag("--only-fill", only_fill, "only make them");
    CLI11_PARSE(app, count, arguments);
    store_bench bench{chosen};
    if (only_fill)
        bench.fill();
    else
        bench.run_rounds();
    return 0;
} catch (std::exception const& fault) {
    std::fprintf(stderr, "bench-store: %s\n", fault.what());
    return 1;
}
