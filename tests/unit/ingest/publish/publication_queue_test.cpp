#include "ingest/publish/publication_queue.hpp"

#include <doctest/doctest.h>

#include <vector>

namespace clerk_strapi::ingest
{
namespace
{

using namespace std::chrono_literals;

struct noted final : publication_waiter
{
    noted(std::vector<int>& into, int number)
        : done{into}
        , name{number}
    {
    }
    void give(publish_outcome) override { done.push_back(name); }
    std::vector<int>& done;
    int name;
};

struct queue_fixture
{
    publication_queue queue;
    std::vector<int> done;
    publication_queue::time_point const start{};

    publication_queue::tag add(int name, std::chrono::seconds deadline)
    {
        auto const tag = queue.add(start + deadline);
        queue.wait(tag, std::make_unique<noted>(done, name));
        return tag;
    }
    void expire(std::chrono::seconds now)
    {
        while (auto const waiter = queue.take_expired(start + now))
            waiter->give(publish_outcome::timed_out);
    }
};

}

TEST_CASE_FIXTURE(queue_fixture, "publication queue: waits expire at their deadlines, in the order of arrival")
{
    add(1, 8s);
    auto const second = add(2, 9s);
    add(3, 10s);
    expire(7s);
    CHECK(done.empty());
    queue.take(second)->give(publish_outcome::persisted);
    expire(10s);
    CHECK(done == std::vector{2, 1, 3});
    CHECK(queue.size() == 0);
    CHECK_FALSE(queue.next_deadline());
}

TEST_CASE_FIXTURE(
    queue_fixture, "publication queue: a report after the deadline matches no wait, even in a reused slot")
{
    auto const late = add(1, 8s);
    expire(8s);
    auto const next = add(2, 16s);
    CHECK(late != next);
    CHECK_FALSE(queue.take(late));
    CHECK(queue.take(next));
    CHECK_FALSE(queue.take(next));
    CHECK_FALSE(queue.take(12345));
}

TEST_CASE_FIXTURE(queue_fixture, "publication queue: a stop shortens every wait")
{
    add(1, 8s);
    add(2, 9s);
    queue.cut(start + 4s);
    CHECK(queue.next_deadline() == start + 4s);
    expire(4s);
    CHECK(done == std::vector{1, 2});
}

}
