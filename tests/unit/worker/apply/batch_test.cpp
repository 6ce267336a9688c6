// strapi_store on a real PostgreSQL: any cut and order of the batches, and two workers at once, end in the same values.

#include "tests/support/conflict_checks.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <thread>

using namespace clerk_strapi;
using namespace clerk_strapi::worker;
using namespace clerk_strapi::tests;

TEST_CASE("batch: any cut and order ends in the same values, also with two workers [I2 I4 E5]")
{
    if (!have_postgres("random conflicts")) return;
    std::minstd_rand random{20'251'123};
    auto const below = [&](int bound) { return static_cast<int>(random() % static_cast<unsigned>(bound)); };
    std::vector<user_event> events;
    for (auto i = 0; i < 120; ++i) {
        constexpr char const* emails[] = {"a@x", "b@x", "c@x", "d@x", "e@x"};
        constexpr char const* names[] = {"a", "b", "c", "a@x", "b@x", "a-000001"};
        auto const id = "user_00000" + std::to_string(below(9));
        if (below(40) == 0) {
            events.push_back(deleted(id, i));
        } else {
            events.push_back(asking(id, i, emails[below(5)], names[below(6)], below(2) == 0));
        }
    }
    std::string expected;
    for (auto round = 0; round < 6; ++round) {
        CAPTURE(round);
        site_database site;
        auto settings = site_database::settings();
        settings.profile_types.clear();
        auto const work = [&](std::size_t from, std::size_t step, std::size_t size) {
            auto store = site.store(settings);
            for (auto i = from; i < events.size(); i += step * size) {
                std::vector<user_event> batch{events.begin() + static_cast<std::ptrdiff_t>(i),
                    events.begin() + static_cast<std::ptrdiff_t>(std::min(i + size, events.size()))};
                while (store.apply(batch, {}).status != apply_status::applied) {}
            }
        };
        if (round == 0) {
            work(0, 1, events.size());
        } else if (round < 3) {
            work(0, 1, static_cast<std::size_t>(round));
        } else {
            auto const size = static_cast<std::size_t>(round - 2);
            std::thread other{[&] { work(size, 2, size); }};
            work(0, 2, size);
            other.join();
        }
        check_unique_values(site);
        if (round == 0) expected = all_values(site);
        CHECK(all_values(site) == expected);
        std::shuffle(events.begin(), events.end(), random);
    }
}

TEST_CASE("batch: two workers on one value: one wins, one gets the fallback, no deadlock [I2 I9]")
{
    if (!have_postgres("two workers on one value")) return;
    site_database site;
    auto settings = site_database::settings();
    auto const work = [&](int own) {
        auto store = site.store(settings);
        for (auto round = 1; round <= 15; ++round) {
            std::vector<user_event> batch;
            for (auto user = 0; user < 4; ++user) {
                auto const number = std::to_string((user * 3 + own) % 4);
                batch.push_back(
                    asking("user_w" + std::to_string(own) + number, round * 2 + own, number + "@x", number));
            }
            while (store.apply(batch, {}).status != apply_status::applied) {}
        }
    };
    std::thread other{[&] { work(1); }};
    work(0);
    other.join();
    CHECK(site.count("select count(*) from up_users where clerk_id like 'user_w1%' and email like '%@x'") == 4);
    CHECK(
        site.count("select count(*) from up_users where clerk_id like 'user_w0%' and email like '%@clerk.user'") == 4);
    check_unique_values(site);
    check_one_of_each(site);
}
