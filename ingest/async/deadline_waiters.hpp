#pragma once

// Coroutines that wait for an answer, each until its own deadline. Taking a waiter out of the list is the only way to
// answer it, so there is exactly one answer: a result that arrives after the deadline finds no waiter. The owner bounds
// the number of waiters with size() and sets a timer to next_deadline(). Not thread-safe: one io_context's thread.

#include "ingest/async/reply.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

namespace clerk_strapi::ingest
{

// `Request` is what the owner needs to know about a waiter to answer it.
template <class Answer, class Request = std::monostate>
class deadline_waiters
{
public:
    using time_point = std::chrono::steady_clock::time_point;
    using tag = std::uint64_t; // never used twice
    struct waiter
    {
        time_point deadline;
        std::unique_ptr<ingest::reply<Answer>> reply;
        Request request;
    };

    tag add(time_point deadline, std::unique_ptr<reply<Answer>> answer_to, Request request = {})
    {
        waiters_.emplace(++last_tag_, waiter{limited(deadline), std::move(answer_to), std::move(request)});
        return last_tag_;
    }

    // Nothing if the waiter was already taken.
    [[nodiscard]] std::optional<waiter> take(tag which)
    {
        auto const found = waiters_.find(which);
        if (found == waiters_.end()) return std::nullopt;
        std::optional<waiter> taken{std::move(found->second)};
        waiters_.erase(found);
        return taken;
    }

    // Both return the waiters in the order of arrival.
    [[nodiscard]] std::vector<waiter> take_all() { return take_expired(time_point::max()); }
    [[nodiscard]] std::vector<waiter> take_expired(time_point now)
    {
        std::vector<waiter> taken;
        for (auto each = waiters_.begin(); each != waiters_.end();) {
            if (each->second.deadline > now) {
                ++each;
                continue;
            }
            taken.push_back(std::move(each->second));
            each = waiters_.erase(each);
        }
        return taken;
    }

    [[nodiscard]] std::optional<time_point> next_deadline() const
    {
        auto const earlier = [](auto const& a, auto const& b) { return a.second.deadline < b.second.deadline; };
        auto const next = std::min_element(waiters_.begin(), waiters_.end(), earlier);
        return next == waiters_.end() ? std::nullopt : std::optional{next->second.deadline};
    }

    // Brings one deadline forward.
    void shorten(tag which, time_point deadline)
    {
        if (auto const found = waiters_.find(which); found != waiters_.end())
            found->second.deadline = std::min(found->second.deadline, deadline);
    }

    // For a stop: no present or later waiter waits longer than until `latest`.
    void cut_deadlines(time_point latest)
    {
        latest_ = latest;
        for (auto& [which, each] : waiters_)
            each.deadline = limited(each.deadline);
    }

    [[nodiscard]] time_point limited(time_point deadline) const { return std::min(deadline, latest_); }
    [[nodiscard]] std::size_t size() const { return waiters_.size(); }

private:
    std::map<tag, waiter> waiters_; // in the order of arrival
    tag last_tag_{0};
    time_point latest_{time_point::max()};
};

}
