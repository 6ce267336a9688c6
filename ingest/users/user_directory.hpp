#pragma once

// Strapi's users for session token verification. A row is at most VERIFY_CACHE_MS old, and at most VERIFY_STALE_MS
// while the database is unreachable (I5). All cache misses and all waits for a row share one query at a time; `absent`
// is never cached. Every call returns by its deadline, whatever the database does. A timer, not a request, tries an
// unreachable database again. Runs on the io_context's thread; the queries run on a helper thread.

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
    std::chrono::milliseconds cache{1'000}; // VERIFY_CACHE_MS, from the start of a row's query
    std::chrono::milliseconds stale{30'000}; // VERIFY_STALE_MS, likewise
    std::chrono::milliseconds find_max{1'200}; // the server ends a query after 1 s
    std::chrono::milliseconds retry_first{50};
    std::chrono::milliseconds retry_longest{1'000};
    std::chrono::milliseconds probe{5'000}; // query interval without requests, so that up() stays current
};

struct directory_settings
{
    postgres::session::conninfo_source conninfo; // empty: not configured, everything is unavailable
    std::string database_schema{"public"};
    directory_times times{};
    std::size_t users_max{20'000}; // cached
    std::size_t waiting_max{4'000};
};

class strapi_user_directory final : public user_directory
{
public:
    strapi_user_directory(boost::asio::io_context& io, directory_settings settings);
    ~strapi_user_directory() override;

    // Starts the first query; call before run() or on its thread.
    void start();
    [[nodiscard]] boost::asio::awaitable<user_answer> find(std::string_view clerk_id) override;
    [[nodiscard]] boost::asio::awaitable<user_answer> wait_for(
        std::string_view clerk_id, std::chrono::steady_clock::time_point until) override;

    // For a stop: shortens every deadline to `latest`.
    void cut_deadlines(std::chrono::steady_clock::time_point latest);
    [[nodiscard]] std::size_t waiting() const { return waiters_.size(); }
    [[nodiscard]] std::uint64_t queries() const { return round_; }
    [[nodiscard]] bool up() const { return state_ == state::reachable; }
    [[nodiscard]] std::string health() const;

private:
    using clock = std::chrono::steady_clock;
    enum class state { not_queried, reachable, unreachable };
    struct cached_row
    {
        user_answer answer;
        clock::time_point queried_at;
    };
    struct waiter
    {
        std::string id;
        clock::time_point deadline;
        clock::time_point due; // for the next query
        bool waits_for_row{false};
        unsigned queries{0}; // that found no row
        std::uint64_t round{0}; // of the last query with this id
        bool answered{false}; // that query succeeded
        std::unique_ptr<ingest::reply<user_answer>> reply;
    };
    struct response
    {
        std::unique_ptr<ingest::reply<user_answer>> reply;
        user_answer answer;
    };

    [[nodiscard]] boost::asio::awaitable<user_answer> wait(waiter waiting);
    [[nodiscard]] std::optional<user_answer> cached_within(std::string_view id, std::chrono::milliseconds age);
    [[nodiscard]] user_answer stale_answer(std::string_view id);
    [[nodiscard]] bool is_unreachable(clock::time_point now) const;
    [[nodiscard]] user_answer answer_at_deadline(waiter const& late);
    void query(clock::time_point now);
    void take(std::vector<std::string> const& ids, users_read const& read, clock::time_point queried_at);
    [[nodiscard]] std::vector<response> take_answers(
        std::vector<std::string> const& ids, users_read const& read, clock::time_point queried_at);
    [[nodiscard]] std::vector<response> take_failure(postgres::work_result const& result);
    void log_failure(postgres::work_result const& result);
    void tick();
    [[nodiscard]] clock::time_point next_event() const;

    boost::asio::io_context& io_;
    directory_settings settings_;
    bounded_cache<cached_row> cache_;
    std::list<waiter> waiters_;
    state state_{state::not_queried};
    std::string trouble_;
    bool querying_{false};
    clock::time_point queried_at_{}; // start of the last query
    clock::time_point retry_at_{}; // while unreachable
    std::uint64_t round_{0};
    backoff retry_;
    std::minstd_rand random_{std::random_device{}()};
    std::optional<clock::time_point> latest_;
    wake_up alarm_; // for the next deadline
    std::shared_ptr<strapi_user_query> query_;
    std::optional<helper_threads> thread_; // last: it stops first
};

}
