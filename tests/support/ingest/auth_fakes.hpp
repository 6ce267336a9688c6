#pragma once

// Fakes of the ports of session token verification. Time advances only while a fake waits.

#include "ingest/ports.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <functional>
#include <map>
#include <string>

namespace clerk_strapi::tests
{

struct fake_time
{
    std::chrono::steady_clock::time_point steady{};
    std::int64_t wall_seconds{1'716'883'300};

    [[nodiscard]] std::chrono::system_clock::time_point wall() const
    {
        return std::chrono::system_clock::time_point{std::chrono::seconds{wall_seconds}};
    }
};

class fake_signing_keys final : public ingest::signing_keys
{
public:
    boost::asio::awaitable<ingest::key_answer> find(std::string_view kid) override
    {
        ++calls_;
        if (unavailable_) co_return ingest::key_answer{ingest::key_outcome::unavailable, {}};
        auto const known = keys_.find(kid);
        if (known == keys_.end()) co_return ingest::key_answer{ingest::key_outcome::unknown, {}};
        co_return ingest::key_answer{ingest::key_outcome::found, known->second};
    }
    void has(std::string kid, ingest::rsa_key key) { keys_.insert_or_assign(std::move(kid), std::move(key)); }
    void forget(std::string const& kid) { keys_.erase(kid); }
    void set_unavailable(bool unavailable = true) { unavailable_ = unavailable; }
    [[nodiscard]] int calls() const { return calls_; }

private:
    std::map<std::string, ingest::rsa_key, std::less<>> keys_;
    bool unavailable_{false};
    int calls_{0};
};

// Rows by Clerk id. wait_for() advances time until its deadline, and lets other coroutines run meanwhile.
class fake_user_directory final : public ingest::user_directory
{
public:
    explicit fake_user_directory(fake_time& time)
        : time_{time}
    {
    }

    boost::asio::awaitable<ingest::user_answer> find(std::string_view clerk_id) override { co_return lookup(clerk_id); }

    boost::asio::awaitable<ingest::user_answer> wait_for(
        std::string_view clerk_id, std::chrono::steady_clock::time_point until) override
    {
        std::string const id{clerk_id};
        for (;;) {
            auto answer = lookup(id);
            if (answer.outcome != ingest::user_outcome::absent || time_.steady >= until) co_return answer;
            co_await boost::asio::post(co_await boost::asio::this_coro::executor, boost::asio::use_awaitable);
            time_.steady += std::chrono::milliseconds{1};
            if (on_wait) on_wait();
        }
    }

    void has(std::string const& clerk_id, ingest::strapi_user user)
    {
        rows_[clerk_id] = {ingest::user_outcome::found, std::make_shared<ingest::strapi_user const>(std::move(user))};
    }
    void deleted(std::string const& clerk_id) { rows_[clerk_id] = {ingest::user_outcome::deleted, nullptr}; }
    void loses(std::string const& clerk_id) { rows_.erase(clerk_id); }
    void set_unavailable(bool unavailable = true) { unavailable_ = unavailable; }

    std::function<void()> on_wait{}; // called once per millisecond of waiting

private:
    [[nodiscard]] ingest::user_answer lookup(std::string_view clerk_id) const
    {
        if (unavailable_) return {ingest::user_outcome::unavailable, nullptr};
        auto const row = rows_.find(clerk_id);
        return row == rows_.end() ? ingest::user_answer{ingest::user_outcome::absent, nullptr} : row->second;
    }

    fake_time& time_;
    std::map<std::string, ingest::user_answer, std::less<>> rows_;
    bool unavailable_{false};
};

class fake_clerk_users final : public ingest::clerk_users
{
public:
    explicit fake_clerk_users(fake_time& time)
        : time_{time}
    {
    }

    boost::asio::awaitable<ingest::clerk_answer> read(
        std::string_view clerk_id, std::chrono::steady_clock::time_point) override
    {
        std::string const id{clerk_id};
        ++calls_;
        co_await boost::asio::post(co_await boost::asio::this_coro::executor, boost::asio::use_awaitable);
        if (unavailable_) co_return ingest::clerk_answer{ingest::clerk_outcome::unavailable, {}, time_.wall()};
        auto const user = users_.find(id);
        if (user == users_.end()) co_return ingest::clerk_answer{ingest::clerk_outcome::absent, {}, time_.wall()};
        co_return ingest::clerk_answer{ingest::clerk_outcome::found, user->second, time_.wall()};
    }
    void has(std::string const& clerk_id, std::string user) { users_[clerk_id] = std::move(user); }
    void set_unavailable(bool unavailable = true) { unavailable_ = unavailable; }
    [[nodiscard]] int calls() const { return calls_; }

private:
    fake_time& time_;
    std::map<std::string, std::string> users_;
    bool unavailable_{false};
    int calls_{0};
};

}
