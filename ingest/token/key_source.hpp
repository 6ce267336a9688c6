#pragma once

// The signing keys of session tokens: one PEM from the configuration, or the key set that Clerk publishes, fetched in
// the background. A known key is returned at once, whatever Clerk does. Unknown kids cause at most one fetch per
// cool-down, however many requests name them (B5). A key that Clerk withdrew is rejected from the next refresh on
// (F22). While Clerk is unreachable the last key set is used for an hour; then every answer is unavailable, never
// unknown (F21). Runs on the io_context's thread; fetches run on a helper thread.

#include "common/config/secret.hpp"
#include "common/event/backoff.hpp"
#include "ingest/async/bounded_cache.hpp"
#include "ingest/async/deadline_waiters.hpp"
#include "ingest/async/helper_threads.hpp"
#include "ingest/ports.hpp"
#include "ingest/token/key_set.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <functional>

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
    refused, // 401 or 403: Clerk rejects the secret key
    unexpected, // any other status, redirects included
    invalid, // 200, but not a key set with a usable key
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
    std::chrono::milliseconds cool_down{30'000}; // between two fetches caused by unknown kids
    std::chrono::milliseconds unknown{
        5 * 60'000}; // negative cache: a kid that a fetch did not contain causes no other fetch
    std::chrono::milliseconds stale_max{60 * 60'000}; // from the start of the last successful fetch
    std::chrono::milliseconds wait_max{2'000}; // of a request for a fetch
    std::chrono::milliseconds fetch_max{5'000};
    std::chrono::milliseconds retry_first{1'000};
    std::chrono::milliseconds retry_longest{60'000};
};

struct key_source_settings
{
    std::optional<rsa_key> pem; // takes precedence: no network, and any kid
    std::optional<key_endpoint> endpoint; // neither pem nor endpoint: not configured
    key_times times{};
    std::size_t waiting_max{1'000};
    std::function<void(refresh_outcome)> refreshed{}; // for the metrics
};

class signing_key_source final : public signing_keys
{
public:
    signing_key_source(boost::asio::io_context& io, key_source_settings settings);
    ~signing_key_source() override;

    // Starts the first fetch; call before run() or on its thread.
    void start();
    [[nodiscard]] boost::asio::awaitable<key_answer> find(std::string_view kid) override;

    // For a stop: shortens every deadline to `latest`.
    void cut_deadlines(std::chrono::steady_clock::time_point latest);
    // Age of the current key set; nothing without one, or with a PEM.
    [[nodiscard]] std::optional<double> age_seconds() const;
    // Number of ignored keys of the current key set.
    [[nodiscard]] std::size_t ignored() const { return keys_ ? keys_->ignored.size() : 0; }
    // True if the last fetch succeeded and its keys are usable. False when not configured.
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

    [[nodiscard]] static fetched fetch(clerk::api_client& client, std::string const& target, clock::time_point until);
    [[nodiscard]] std::optional<key_answer> known(std::string_view kid) const;
    [[nodiscard]] bool usable() const;
    void begin_fetch();
    void take(fetched result, clock::time_point started);
    void note_failure(fetched const& result);
    void note_success(key_set const& keys);
    void fetch_after(std::chrono::milliseconds time);
    void answer_waiters();
    void expire();
    void arm_wait_timer();

    boost::asio::io_context& io_;
    key_source_settings settings_;
    std::optional<key_set> keys_;
    clock::time_point fetched_at_{}; // start of the fetch of keys_
    std::optional<refresh_outcome> last_;
    bool fetching_{false};
    clock::time_point cool_until_{};
    bounded_cache<clock::time_point> unknown_; // negative cache: kids that a fetch did not contain, with their expiry

    backoff retry_;
    std::minstd_rand random_{std::random_device{}()};
    deadline_waiters<key_answer, std::string> waiters_; // each with the kid that it waits for
    std::vector<std::string> logged_ignored_; // so that the same ignored key is not logged every five minutes
    boost::asio::steady_timer refresh_timer_;
    boost::asio::steady_timer wait_timer_;
    std::shared_ptr<clerk::api_client> client_;
    std::optional<helper_threads> thread_; // last: it stops first
};

}
