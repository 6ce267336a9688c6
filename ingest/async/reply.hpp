#pragma once

// A coroutine that waits for an answer which comes later on the same thread: from a helper thread's result or from a
// timer, whichever is first. Whoever answers takes the reply out of its list first, so there is exactly one answer.

#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <memory>
#include <utility>

namespace clerk_strapi::ingest
{

template <class Answer>
class reply
{
public:
    virtual ~reply() = default;
    // Resumes the coroutine at once, which may ask again at once: never while walking over a list of replies.
    virtual void give(Answer answer) = 0;
};

namespace detail
{

template <class Answer, class Handler>
class reply_of final : public reply<Answer>
{
public:
    explicit reply_of(Handler handler)
        : handler_{std::move(handler)}
    {
    }
    void give(Answer answer) override { std::move(handler_)(std::move(answer)); }

private:
    Handler handler_;
};

}

// Calls keep(std::unique_ptr<reply<Answer>>) and waits until somebody gives. A reply that is thrown away ends the
// coroutine without an answer (a stop).
template <class Answer>
boost::asio::awaitable<Answer> wait_for_reply(auto keep)
{
    auto const initiate = [&keep](auto handler) {
        keep(std::make_unique<detail::reply_of<Answer, decltype(handler)>>(std::move(handler)));
    };
    co_return co_await boost::asio::async_initiate<boost::asio::use_awaitable_t<> const, void(Answer)>(
        initiate, boost::asio::use_awaitable);
}

}
