#pragma once

// Just-in-time provisioning: creates a user at the first request with a valid token. As with webhooks, ingest publishes
// an event and the worker writes the rows; the request waits for them. At most one publication per user and 30 s,
// however many requests wait, and a bounded number of requests wait. With a secret key the user's data comes from
// Clerk's API, without one from the token's claims.

#include "ingest/async/bounded_cache.hpp"
#include "ingest/ports.hpp"
#include "ingest/token/session_token.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <functional>
#include <set>
#include <string>
#include <string_view>

namespace clerk_strapi::ingest
{

enum class provisioning_outcome {
    provisioned, // the row exists
    deleted, // a tombstone: the user was deleted and is never created again (I3)
    no_such_user, // Clerk does not know the user
    pending, // published, but the worker has not written the row in time: a later request finds it
    unavailable, // Clerk, the brokers or the database are unavailable
    overloaded, // too many requests are waiting
};
struct provisioning_result
{
    provisioning_outcome outcome{provisioning_outcome::unavailable};
    std::shared_ptr<strapi_user const> user{}; // when provisioned
};

struct provisioning_settings
{
    std::chrono::milliseconds clerk_wait{2'000}; // for Clerk's API
    std::chrono::milliseconds row_wait{2'000}; // VERIFY_WAIT_MS; the wait for Clerk and the publication come before
    std::chrono::milliseconds quiet_time{30'000}; // between two publications of one user
    std::size_t waiters_max{1'000};
    std::set<std::string, std::less<>> instance_ids{}; // CLERK_INSTANCE_IDS
};

class provision_user
{
public:
    struct clocks
    {
        std::function<std::chrono::system_clock::time_point()> wall;
        std::function<std::chrono::steady_clock::time_point()> steady;
    };

    // With `clerk` null the data comes from the token's claims.
    provision_user(event_publisher& publisher, user_directory& users, clerk_users* clerk,
        provisioning_settings settings, clocks sources);

    // `kid` names the Clerk instance; `traceparent` must be valid. Returns within clerk_wait, publication and row_wait.
    [[nodiscard]] boost::asio::awaitable<provisioning_result> operator()(
        session_claims const& claims, std::string_view kid, std::string_view traceparent);

    [[nodiscard]] std::size_t waiting() const { return waiting_; }
    // For a stop: shortens every deadline to `latest`.
    void cut_deadlines(std::chrono::steady_clock::time_point latest) { latest_ = latest; }

private:
    using time_point = std::chrono::steady_clock::time_point;
    struct flight // of one user's publication
    {
        enum class stage { publishing, published, no_such_user, failed };
        stage at{stage::publishing};
        time_point started{};
    };

    [[nodiscard]] flight* current_flight(std::string const& clerk_id);
    [[nodiscard]] boost::asio::awaitable<flight::stage> publish(
        session_claims const& claims, std::string_view kid, std::string_view traceparent);
    [[nodiscard]] boost::asio::awaitable<provisioning_result> wait_for_row(std::string clerk_id, time_point until);
    [[nodiscard]] std::string_view instance_of(std::string_view kid) const;
    [[nodiscard]] time_point within(std::chrono::milliseconds time) const;

    event_publisher& publisher_;
    user_directory& users_;
    clerk_users* clerk_;
    provisioning_settings settings_;
    clocks sources_;
    bounded_cache<flight> flights_;
    std::size_t waiting_{0};
    std::optional<time_point> latest_;
};

}
