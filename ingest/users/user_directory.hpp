#pragma once

// Strapi's users as auth-verify needs them: at most VERIFY_CACHE_MS old, and VERIFY_STALE_MS while the database is
// away (I5). All who miss and all who wait for a row share one query at a time, however many they are; that a user is
// absent is never remembered. Every question is answered within its time, whatever the database does, and a database
// that is away is asked again by a timer, not by whoever comes. Lives on the io_context's thread; the queries run on
// one of its own.

#include "common/event/backoff.hpp"
#include "common/postgres/session.hpp"
#include "ingest/async/bounded_cache.hpp"
#include "ingest/async/helper_threads.hpp"
#include "ingest/async/reply.hpp"
#include "ingest/async/wake_up.hpp"
#include "ingest/ports.hpp"

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace clerk_strapi::ingest
{

class strapi_user_query;
struct users_read;

struct directory_times
{
    std::chrono::milliseconds cache{1'000}; // VERIFY_CACHE_MS, from the beginning of a row's query
    std::chrono::milliseconds stale{30'000}; // VERIFY_STALE_MS, likewise
    std::chrono::milliseconds find_max{1'200}; // the server ends a query after 1 s
    std::chrono::milliseconds retry_first{50};
    std::chrono::milliseconds retry_longest{1'000};
    std::chrono::milliseconds probe{5'000}; // when nobody asks: so that up() is true to life
};

struct directory_settings
{
    postgres::session::conninfo_source conninfo; // empty: not configured, everything is unavailable
    std::string database_schema{"public"};
    directory_times times{};
    std::size_t users_max{20'000}; // remembered
    std::size_t waiting_max{4'000};
};

class strapi_user_directory final : public user_directory
{
public:
    strapi_user_directory(boost::asio::io_context& io, directory_settings settings);
    ~strapi_user_directory() override;

    // Asks the database for the first time; before run() or on its thread.
    void start();
    [[nodiscard]] boost::asio::awaitable<user_answer> find(std::string_view clerk_id) override;
    [[nodiscard]] boost::asio::awaitable<user_answer> wait_for(
        std::string_view clerk_id, std::chrono::steady_clock::time_point until) override;

    // Whoever waits then, waits no longer than until then (a stop).
    void cut_deadlines(std::chrono::steady_clock::time_point latest);
    [[nodiscard]] std::size_t waiting() const { return waiters_.size(); }
    [[nodiscard]] std::uint64_t queries() const { return round_; }
    [[nodiscard]] bool up() const { return state_ == state::answers; }
    [[nodiscard]] std::string health() const;

private:
    using clock = std::chrono::steady_clock;
    enum class state { not_asked, answers, away };
    struct remembered
    {
        user_answer answer;
        clock::time_point asked_at;
    };
    struct waiter
    {
        std::string id;
        clock::time_point deadline;
        clock::time_point due; // for the next query
        bool patient{false}; // waits for a row to appear
        unsigned asked{0}; // how often in vain
        std::uint64_t round{0}; // of the last query that it was part of
        bool judged{false}; // that query was answered
        std::unique_ptr<reply<user_answer>> who;
    };
    struct spoken
    {
        std::unique_ptr<reply<user_answer>> who;
        user_answer answer;
    };

    [[nodiscard]] boost::asio::awaitable<user_answer> wait(waiter asking);
    [[nodiscard]] std::optional<user_answer> remembered_within(std::string_view id, std::chrono::milliseconds age);
    [[nodiscard]] user_answer last_resort(std::string_view id);
    [[nodiscard]] bool hopeless(clock::time_point now) const;
    [[nodiscard]] user_answer given_up(waiter const& late);
    void ask(clock::time_point now);
    void take(std::vector<std::string> const& ids, users_read const& read, clock::time_point asked_at);
    [[nodiscard]] std::vector<spoken> take_answers(
        std::vector<std::string> const& ids, users_read const& read, clock::time_point asked_at);
    [[nodiscard]] std::vector<spoken> take_failure(postgres::work_result const& result);
    void tell_failure(postgres::work_result const& result);
    void tick();
    [[nodiscard]] clock::time_point next_event() const;

    boost::asio::io_context& io_;
    directory_settings settings_;
    bounded_cache<remembered> cache_;
    std::list<waiter> waiters_;
    state state_{state::not_asked};
    std::string trouble_;
    bool asking_{false};
    clock::time_point asked_at_{}; // the last query's beginning
    clock::time_point retry_at_{}; // while away
    std::uint64_t round_{0};
    backoff retry_;
    std::minstd_rand random_{std::random_device{}()};
    std::optional<clock::time_point> latest_;
    wake_up alarm_; // for the next deadline
    std::shared_ptr<strapi_user_query> query_;
    std::optional<helper_threads> thread_; // last: it leaves first
};

}
