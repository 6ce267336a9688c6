#pragma once

// Lets a coroutine wait for an answer that comes later on the same thread: from the continuation of a helper thread or
// from a timer, whichever is first. The answering code first removes the reply from its list, so that there is exactly
// one answer.

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
    // Resumes the coroutine at once, and it may wait again at once: never call this while iterating over the list.
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

// Calls keep(std::unique_ptr<reply<Answer>>) and waits until give() is called. Destroying the reply destroys the
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
