#include "ingest/async/deadline_waiters.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

namespace clerk_strapi::ingest
{
namespace
{

using namespace std::chrono_literals;

struct noted final : reply<int>
{
    explicit noted(std::vector<int>& into)
        : answers{into}
    {
    }
    void give(int answer) override { answers.push_back(answer); }
    std::vector<int>& answers;
};

struct waiters_fixture
{
    using waiters_type = deadline_waiters<int, std::string>;

    waiters_type waiters;
    std::vector<int> answers;
    waiters_type::time_point const start{};

    waiters_type::tag add(std::string request, std::chrono::seconds deadline)
    {
        return waiters.add(start + deadline, std::make_unique<noted>(answers), std::move(request));
    }
    static std::vector<std::string> requests_of(std::vector<waiters_type::waiter> const& taken)
    {
        std::vector<std::string> requests;
        for (auto const& each : taken)
            requests.push_back(each.request);
        return requests;
    }
};

using requests = std::vector<std::string>;

}

TEST_CASE_FIXTURE(waiters_fixture, "waiters: each is answered once, and a result after that finds none")
{
    auto const tag = add("a", 1s);
    auto const taken = waiters.take(tag);
    REQUIRE(taken);
    CHECK(taken->request == "a");
    taken->reply->give(7);
    CHECK(answers == std::vector{7});
    CHECK_FALSE(waiters.take(tag));
    CHECK(waiters.take_all().empty());
}

TEST_CASE_FIXTURE(waiters_fixture, "waiters: a tag is never used twice")
{
    auto const old = add("old", 1s);
    static_cast<void>(waiters.take_expired(start + 1s));
    static_cast<void>(add("new", 2s));
    CHECK_FALSE(waiters.take(old));
    CHECK(waiters.size() == 1);
}

TEST_CASE_FIXTURE(waiters_fixture, "waiters: those whose deadline has passed expire, in the order of arrival")
{
    add("third", 3s);
    add("second", 2s);
    add("first", 1s);
    CHECK(waiters.next_deadline() == start + 1s);
    CHECK(waiters.take_expired(start + 999ms).empty());
    CHECK(requests_of(waiters.take_expired(start + 2s)) == requests{"second", "first"});
    CHECK(waiters.next_deadline() == start + 3s);
    CHECK(requests_of(waiters.take_all()) == requests{"third"});
    CHECK_FALSE(waiters.next_deadline());
    CHECK(waiters.size() == 0);
}

TEST_CASE_FIXTURE(waiters_fixture, "waiters: a deadline can only be shortened")
{
    auto const tag = add("a", 2s);
    waiters.shorten(tag, start + 5s);
    CHECK(waiters.next_deadline() == start + 2s);
    waiters.shorten(tag, start + 1s);
    CHECK(waiters.next_deadline() == start + 1s);
}

TEST_CASE_FIXTURE(waiters_fixture, "waiters: a stop shortens present and later waits, and extends none")
{
    add("long", 9s);
    add("short", 1s);
    waiters.cut_deadlines(start + 4s);
    add("later", 9s);
    CHECK(waiters.limited(start + 9s) == start + 4s);
    CHECK(requests_of(waiters.take_expired(start + 1s)) == requests{"short"});
    CHECK(requests_of(waiters.take_expired(start + 4s)) == requests{"long", "later"});
}

}
