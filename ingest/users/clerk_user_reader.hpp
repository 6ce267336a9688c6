#pragma once

// Reads one user from Clerk's Backend API, for provisioning. Two requests at a time, so that one slow response does not
// stop the others. The number of waiting calls is bounded, and each returns by its deadline, whatever Clerk does. After
// 429 no request is sent until the time that Clerk named. Runs on the io_context's thread. Several calls for one user
// are not merged: the caller does that.

#include "common/config/secret.hpp"
#include "ingest/async/deadline_waiters.hpp"
#include "ingest/async/helper_threads.hpp"
#include "ingest/async/wake_up.hpp"
#include "ingest/ports.hpp"

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace clerk_strapi::clerk
{
class api_client;
struct api_answer;
}

namespace clerk_strapi::ingest
{

enum class read_outcome { found, absent, refused, limited, unreachable, timed_out, too_large, unexpected, overloaded };
[[nodiscard]] std::string_view to_text(read_outcome outcome);

struct user_reader_settings
{
    std::string api_url; // CLERK_API_URL
    std::function<secret()> secret_key; // empty: not configured, everything is unavailable
    std::size_t body_bytes_max{700 * 1024}; // a record's value without the envelope of a snapshot
    std::size_t threads{2};
    std::size_t waiting_max{200};
    std::chrono::milliseconds pause_default{1'000}; // 429 without a Retry-After
    std::chrono::milliseconds pause_longest{60'000};
    std::function<void(read_outcome)> finished{}; // for the metrics
};

class clerk_user_reader final : public clerk_users
{
public:
    clerk_user_reader(boost::asio::io_context& io, user_reader_settings settings);
    ~clerk_user_reader() override;

    [[nodiscard]] boost::asio::awaitable<clerk_answer> read(
        std::string_view clerk_id, std::chrono::steady_clock::time_point until) override;

    // For a stop: shortens every deadline to `latest`.
    void cut_deadlines(std::chrono::steady_clock::time_point latest);
    [[nodiscard]] std::size_t waiting() const { return waiters_.size(); }
    // False after a failed read until one succeeds. `overloaded` changes nothing.
    [[nodiscard]] bool up() const { return up_; }
    [[nodiscard]] std::string health() const;

private:
    using clock = std::chrono::steady_clock;

    void request(std::uint64_t tag, std::string const& id, clock::time_point until);
    void take(std::uint64_t tag, clerk::api_answer answer, std::chrono::system_clock::time_point asked_at);
    void note(read_outcome outcome);
    void answer(std::uint64_t tag, clerk_answer with);
    void expire();

    boost::asio::io_context& io_;
    user_reader_settings settings_;
    deadline_waiters<clerk_answer> waiters_;
    clock::time_point paused_until_{};
    bool up_{true};
    read_outcome last_{read_outcome::found};
    wake_up alarm_; // for the next deadline
    std::vector<std::shared_ptr<clerk::api_client>> clients_; // one per thread
    std::optional<helper_threads> threads_; // last: they stop first
};

}
