#pragma once

// The first sight of a user: a good token whose user Strapi does not have. The road is the one of every other event:
// publish, let the worker write the rows, wait for them. One publication a user and 30 s, however many requests ask at
// once; a bounded number of them wait. With a secret key Clerk is asked who the user is; without one the token tells.

#include "ingest/async/bounded_cache.hpp"
#include "ingest/token/session_token.hpp"
#include "ingest/ports.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <functional>
#include <set>
#include <string>
#include <string_view>

namespace clerk_strapi::ingest
{

enum class introduction_outcome {
    arrived, // the row is there
    deleted, // a tombstone: he was removed, and never comes back (I3)
    no_such_user, // Clerk does not know him
    pending, // published, but the row is not there in time: the next request will find it
    unavailable, // Clerk, the brokers or the database cannot be asked now
    overloaded, // too many are waiting
};
struct introduction
{
    introduction_outcome outcome{introduction_outcome::unavailable};
    std::shared_ptr<strapi_user const> user{}; // when arrived
};

struct introduction_settings
{
    std::chrono::milliseconds clerk_wait{2'000}; // for Clerk's API
    std::chrono::milliseconds row_wait{2'000}; // VERIFY_WAIT_MS, publication included
    std::chrono::milliseconds quiet_time{30'000}; // between two publications of one user
    std::size_t waiters_max{1'000};
    std::set<std::string, std::less<>> instance_ids{}; // CLERK_INSTANCE_IDS
};

class introduce_user
{
public:
    struct clocks
    {
        std::function<std::chrono::system_clock::time_point()> wall;
        std::function<std::chrono::steady_clock::time_point()> steady;
    };

    // Without `clerk` the token's claims are all that is known.
    introduce_user(
        event_log& log, user_directory& users, clerk_users* clerk, introduction_settings settings, clocks sources);

    // `kid` names the Clerk instance; `traceparent` is a valid one. Answers within clerk_wait + row_wait.
    [[nodiscard]] boost::asio::awaitable<introduction> operator()(
        session_claims const& claims, std::string_view kid, std::string_view traceparent);

    [[nodiscard]] std::size_t waiting() const { return waiting_; }
    // From now on nobody waits longer than until then (a stop).
    void cut_deadlines(std::chrono::steady_clock::time_point latest) { latest_ = latest; }

private:
    using time_point = std::chrono::steady_clock::time_point;
    struct flight // of one user's publication
    {
        enum class stage { asking, published, no_such_user, failed };
        stage at{stage::asking};
        time_point begun{};
    };

    [[nodiscard]] flight* current_flight(std::string const& clerk_id);
    [[nodiscard]] boost::asio::awaitable<flight::stage> publish(
        session_claims const& claims, std::string_view kid, std::string_view traceparent);
    [[nodiscard]] boost::asio::awaitable<introduction> follow(std::string clerk_id, time_point until);
    [[nodiscard]] std::string_view instance_of(std::string_view kid) const;
    [[nodiscard]] time_point within(std::chrono::milliseconds time) const;

    event_log& log_;
    user_directory& users_;
    clerk_users* clerk_;
    introduction_settings settings_;
    clocks sources_;
    bounded_cache<flight> flights_;
    std::size_t waiting_{0};
    std::optional<time_point> latest_;
};

}
