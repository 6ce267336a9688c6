#include "ingest/users/clerk_user_reader.hpp"

#include "common/clerk/api_client.hpp"
#include "common/event/envelope.hpp"
#include "common/log/logging.hpp"

#include <algorithm>
#include <utility>

namespace clerk_strapi::ingest
{
namespace
{

namespace asio = boost::asio;
using namespace std::chrono_literals;

read_outcome outcome_of_status(unsigned status)
{
    if (status == 200) return read_outcome::found;
    if (status == 404) return read_outcome::absent;
    if (status == 401 || status == 403) return read_outcome::refused;
    if (status == 429) return read_outcome::limited;
    return read_outcome::unexpected;
}

read_outcome outcome_of(clerk::api_answer const& answer)
{
    switch (answer.outcome) {
    case clerk::api_outcome::answered: return outcome_of_status(answer.status);
    case clerk::api_outcome::unreachable:
    case clerk::api_outcome::not_trusted:
    case clerk::api_outcome::interrupted: return read_outcome::unreachable;
    case clerk::api_outcome::timed_out: return read_outcome::timed_out;
    case clerk::api_outcome::too_large: return read_outcome::too_large;
    }
    return read_outcome::unreachable;
}

clerk_outcome outcome_for_caller(read_outcome outcome)
{
    switch (outcome) {
    case read_outcome::found: return clerk_outcome::found;
    case read_outcome::absent: return clerk_outcome::absent;
    case read_outcome::refused:
    case read_outcome::limited:
    case read_outcome::unreachable:
    case read_outcome::timed_out:
    case read_outcome::too_large:
    case read_outcome::unexpected:
    case read_outcome::overloaded: return clerk_outcome::unavailable;
    }
    return clerk_outcome::unavailable;
}

}

std::string_view to_text(read_outcome outcome)
{
    switch (outcome) {
    case read_outcome::found: return "found";
    case read_outcome::absent: return "absent";
    case read_outcome::refused: return "refused";
    case read_outcome::limited: return "limited";
    case read_outcome::unreachable: return "unreachable";
    case read_outcome::timed_out: return "timed_out";
    case read_outcome::too_large: return "too_large";
    case read_outcome::unexpected: return "unexpected";
    case read_outcome::overloaded: return "overloaded";
    }
    return "unknown";
}

clerk_user_reader::clerk_user_reader(asio::io_context& io, user_reader_settings settings)
    : io_{io}
    , settings_{std::move(settings)}
    , alarm_{io, [this] { expire(); }}
{
    if (!settings_.secret_key) return;
    clerk::api_settings chosen;
    chosen.base_url = settings_.api_url;
    chosen.bearer = settings_.secret_key;
    chosen.body_bytes_max = settings_.body_bytes_max;
    for (std::size_t i = 0; i < settings_.threads; ++i)
        clients_.push_back(std::make_shared<clerk::api_client>(chosen));
    helper_threads::bounds limits;
    limits.threads = settings_.threads;
    limits.waiting_max = settings_.waiting_max;
    threads_.emplace(io_, limits);
}

clerk_user_reader::~clerk_user_reader()
{
    for (auto const& each : clients_)
        each->interrupt();
}

asio::awaitable<clerk_answer> clerk_user_reader::read(std::string_view clerk_id, clock::time_point until)
{
    if (!threads_) co_return clerk_answer{};
    if (!is_user_id(clerk_id)) co_return clerk_answer{clerk_outcome::absent, {}, {}};
    auto const now = clock::now();
    if (now < paused_until_) co_return clerk_answer{};
    if (waiters_.size() >= settings_.waiting_max) {
        note(read_outcome::overloaded);
        co_return clerk_answer{};
    }
    auto const deadline = waiters_.limited(until);
    std::string const id{clerk_id};
    co_return co_await wait_for_reply<clerk_answer>([&](std::unique_ptr<reply<clerk_answer>> reply) {
        request(waiters_.add(deadline, std::move(reply)), id, deadline);
        alarm_.at(deadline);
    });
}

void clerk_user_reader::request(std::uint64_t tag, std::string const& id, clock::time_point until)
{
    auto job = [this, clients = clients_, target = "/v1/users/" + id, tag, until](std::size_t thread) {
        auto const asked_at = std::chrono::system_clock::now();
        // The deadline may have passed while the job was queued; then no caller waits for the result.
        auto const result = std::make_shared<clerk::api_answer>(clock::now() < until
                ? clients[thread]->get(target, until)
                : clerk::api_answer{clerk::api_outcome::timed_out, 0, {}, {}});
        return helper_threads::continuation{[this, tag, result, asked_at] { take(tag, std::move(*result), asked_at); }};
    };
    if (threads_->run(std::move(job))) return;
    // The queue is full of jobs whose callers have timed out. The alarm answers, because the caller does not wait yet.
    note(read_outcome::overloaded);
    waiters_.shorten(tag, clock::now());
    alarm_.at(clock::now());
}

void clerk_user_reader::take(
    std::uint64_t tag, clerk::api_answer response, std::chrono::system_clock::time_point asked_at)
{
    auto const outcome = outcome_of(response);
    if (outcome == read_outcome::limited) {
        auto const requested =
            response.retry_after ? std::chrono::milliseconds{*response.retry_after} : settings_.pause_default;
        paused_until_ = clock::now() + std::min(requested, settings_.pause_longest);
    }
    note(outcome);
    auto const result = outcome_for_caller(outcome);
    answer(tag, {result, result == clerk_outcome::found ? std::move(response.body) : std::string{}, asked_at});
}

void clerk_user_reader::note(read_outcome outcome)
{
    if (settings_.finished) settings_.finished(outcome);
    last_ = outcome;
    up_ = outcome == read_outcome::overloaded ? up_ : outcome_for_caller(outcome) != clerk_outcome::unavailable;
    if (outcome_for_caller(outcome) != clerk_outcome::unavailable) return;
    static log::repeat_limit limit{10s};
    if (auto const held_back = limit.pass()) {
        log::warning("cannot read a user from Clerk's API",
            {{"url", settings_.api_url}, {"fault", to_text(outcome)}, {"held_back", *held_back}});
    }
}

void clerk_user_reader::answer(std::uint64_t tag, clerk_answer with)
{
    if (auto const waiter = waiters_.take(tag)) waiter->reply->give(std::move(with)); // else answered at its deadline
}

void clerk_user_reader::expire()
{
    auto const late = waiters_.take_expired(clock::now());
    if (auto const next = waiters_.next_deadline()) alarm_.at(*next);
    for (auto const& each : late)
        each.reply->give({});
}

void clerk_user_reader::cut_deadlines(clock::time_point latest)
{
    waiters_.cut_deadlines(latest);
    alarm_.at(latest);
}

std::string clerk_user_reader::health() const
{
    if (!threads_) return "not configured: new users are provisioned with the data of their token";
    if (clock::now() < paused_until_) return "waiting, because Clerk's API returned 429";
    return up_ ? "reachable" : "the last read failed: " + std::string{to_text(last_)};
}

}
