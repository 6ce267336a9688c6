#pragma once

// The keys of session tokens: one PEM from the configuration, or the set that Clerk publishes, fetched in the
// background. Who asks for a known key is answered at once, whatever Clerk does. An unknown key costs at most one
// fetch a cool-down, however many ask (B5); a key that Clerk withdrew is refused from the next refresh on (F22).
// While Clerk is away the last good set serves for an hour, then nobody is let in: unavailable, never unknown (F21).
// Lives on the io_context's thread; fetches on one of its own.

#include "common/event/backoff.hpp"
#include "common/config/secret.hpp"
#include "ingest/async/bounded_cache.hpp"
#include "ingest/token/key_set.hpp"
#include "ingest/async/helper_threads.hpp"
#include "ingest/async/reply.hpp"
#include "ingest/ports.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace clerk_strapi::clerk
{
class api_client;
}

namespace clerk_strapi::ingest
{

enum class refresh_outcome {
    refreshed,
    unreachable,
    not_trusted, // TLS
    timed_out,
    too_large,
    refused, // 401 or 403: the secret key is not, or no longer, good
    unexpected, // any other status, redirects included
    invalid, // 200, but no key set with a usable key
};
inline constexpr refresh_outcome refresh_outcomes[] = {refresh_outcome::refreshed, refresh_outcome::unreachable,
    refresh_outcome::not_trusted, refresh_outcome::timed_out, refresh_outcome::too_large, refresh_outcome::refused,
    refresh_outcome::unexpected, refresh_outcome::invalid};
[[nodiscard]] std::string_view to_text(refresh_outcome outcome);

struct key_endpoint
{
    std::string base_url;
    std::string target;
    std::function<secret()> bearer{};
};
[[nodiscard]] key_endpoint backend_keys(std::string api_url, std::function<secret()> secret_key);
[[nodiscard]] key_endpoint frontend_keys(std::string const& host);

struct key_times
{
    std::chrono::milliseconds refresh{5 * 60'000};
    std::chrono::milliseconds cool_down{30'000}; // between two fetches that unknown keys cause
    std::chrono::milliseconds unknown{5 * 60'000}; // a key that a good fetch did not have causes no other so long
    std::chrono::milliseconds stale_max{60 * 60'000}; // from the beginning of the last good fetch
    std::chrono::milliseconds wait_max{2'000}; // for whoever asks
    std::chrono::milliseconds fetch_max{5'000};
    std::chrono::milliseconds retry_first{1'000};
    std::chrono::milliseconds retry_longest{60'000};
};

struct key_source_settings
{
    std::optional<rsa_key> pem; // wins: no network then, and any kid
    std::optional<key_endpoint> endpoint; // neither: not configured
    key_times times{};
    std::size_t waiting_max{1'000};
    std::function<void(refresh_outcome)> refreshed{}; // for the metrics
};

class signing_key_source final : public signing_keys
{
public:
    signing_key_source(boost::asio::io_context& io, key_source_settings settings);
    ~signing_key_source() override;

    // Begins the first fetch; before run() or on its thread.
    void start();
    [[nodiscard]] boost::asio::awaitable<key_answer> find(std::string_view kid) override;

    // Whoever waits then, waits no longer than until then (a stop).
    void cut_deadlines(std::chrono::steady_clock::time_point latest);
    // Of the set in force; nothing without one, or with a PEM.
    [[nodiscard]] std::optional<double> age_seconds() const;
    // Keys of the set in force that no token can use.
    [[nodiscard]] std::size_t ignored() const { return keys_ ? keys_->ignored.size() : 0; }
    // Whether tokens can be judged now; not configured counts as down.
    [[nodiscard]] bool up() const;
    [[nodiscard]] std::string health() const;

private:
    using clock = std::chrono::steady_clock;
    struct fetched
    {
        refresh_outcome outcome{refresh_outcome::unreachable};
        std::optional<key_set> keys;
        std::string detail;
    };
    struct waiter
    {
        std::string kid;
        clock::time_point deadline;
        std::unique_ptr<reply<key_answer>> who;
    };

    [[nodiscard]] static fetched fetch(clerk::api_client& client, std::string const& target, clock::time_point until);
    [[nodiscard]] std::optional<key_answer> known(std::string_view kid) const;
    [[nodiscard]] bool usable() const;
    void begin_fetch();
    void take(fetched result, clock::time_point began);
    void note_failure(fetched const& result);
    void note_success(key_set const& keys);
    void fetch_after(std::chrono::milliseconds time);
    void answer_waiters();
    void expire();
    void arm_wait_timer();

    boost::asio::io_context& io_;
    key_source_settings settings_;
    std::optional<key_set> keys_;
    clock::time_point fetched_at_{}; // when the fetch of keys_ began
    std::optional<refresh_outcome> last_;
    bool fetching_{false};
    clock::time_point cool_until_{};
    bounded_cache<clock::time_point> unknown_; // keys that a good fetch did not have, until when they cause none
    std::optional<clock::time_point> latest_;
    backoff retry_;
    std::minstd_rand random_{std::random_device{}()};
    std::list<waiter> waiters_;
    std::vector<std::string> told_ignored_; // so that the same key is not complained about every five minutes
    boost::asio::steady_timer refresh_timer_;
    boost::asio::steady_timer wait_timer_;
    std::shared_ptr<clerk::api_client> client_;
    std::optional<helper_threads> thread_; // last: it leaves first
};

}
