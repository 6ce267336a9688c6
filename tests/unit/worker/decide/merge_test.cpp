// The merge rule, as a table and in all orders. The same rows run through PostgreSQL in
// tests/unit/worker/apply/store_test.cpp, so the SQL cannot drift from the rule.

#include "tests/support/events.hpp"
#include "tests/support/merge_table.hpp"
#include "worker/decide/fold.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>

using namespace clerk_strapi;
using namespace clerk_strapi::worker;
using namespace clerk_strapi::tests;

TEST_CASE("merge: the rule, row by row [I2 I3]")
{
    for (auto const& row : merge_table()) {
        CAPTURE(row.name);
        auto const merged = merge_event(state_before(row, "user_a"), event_of(row, "user_a"));
        CHECK(to_string(merged.outcome) == to_string(row.outcome));
        CHECK(merged.effect == row.effect);
        CHECK(merged.next.known == row.after);
        if (row.after == user_state::presence::present) CHECK(merged.next.version == version_after(row, "user_a"));
    }
}

TEST_CASE("merge: after a revival, older deletions are stale, all others apply [I3]")
{
    struct
    {
        char const* name;
        int revived_at;
        int deleted_at; // 0: without a date
        event_outcome outcome;
    } const rows[] = {
        {"the deletion that was lifted, delivered again", 5, 4, event_outcome::stale},
        {"a deletion of the same moment", 5, 5, event_outcome::deleted},
        {"a new deletion", 5, 6, event_outcome::deleted},
        {"a deletion without a date", 5, 0, event_outcome::deleted},
        {"never revived", 0, 4, event_outcome::deleted},
    };
    for (auto const& row : rows) {
        CAPTURE(row.name);
        user_state state = merge_event({}, updated("u", 1)).next;
        if (row.revived_at > 0) state.revived_at_ms = test_time_ms + row.revived_at;
        auto deletion = deleted("u", row.deleted_at);
        if (row.deleted_at == 0) deletion.version.event_ms = 0;
        auto const merged = merge_event(state, deletion);
        CHECK(to_string(merged.outcome) == to_string(row.outcome));
        CHECK((merged.next.known == user_state::presence::tombstone) == (row.outcome == event_outcome::deleted));
        CHECK(merged.next.revived_at_ms == state.revived_at_ms);
    }
}

TEST_CASE("merge: the final state depends only on the set of events, not on order or copies [I2 I3]")
{
    struct
    {
        char const* name;
        std::vector<user_event> events;
    } const sets[] = {
        {"updates only",
            {created("u", 1), updated("u", 2), updated("u", 3), updated("u", 3), updated("u", 4), updated("u", 5)}},
        {"with a deletion",
            {created("u", 1), updated("u", 2), deleted("u", 3), updated("u", 4), created("u", 1), updated("u", 5)}},
        {"with provisioning",
            {seen("u"), created("u", 1), seen("u"), updated("u", 2), updated("u", 3), updated("u", 2)}},
        {"deleted, then seen",
            {seen("u"), deleted("u", 1), created("u", 2), seen("u"), deleted("u", 1), updated("u", 3)}},
    };
    for (auto const& set : sets) {
        CAPTURE(set.name);
        std::vector<std::size_t> order(set.events.size());
        for (std::size_t i = 0; i < order.size(); ++i)
            order[i] = i;
        std::optional<user_state> expected;
        do {
            user_state state;
            for (auto const i : order)
                state = merge_event(state, set.events[i]).next;
            if (!expected) expected = state;
            REQUIRE(state.known == expected->known);
            REQUIRE(state.desired == expected->desired);
            if (state.known == user_state::presence::present) REQUIRE(state.version == expected->version);
        } while (std::next_permutation(order.begin(), order.end()));
    }
}

TEST_CASE("merge: the order of events of one millisecond does not depend on arrival [I2]")
{
    auto first = updated("u", 1);
    auto second = first;
    second.version.event_id = first.version.event_id + "x";
    second.desired.full_name = "Second";
    for (auto const& [a, b] : {std::pair{first, second}, std::pair{second, first}}) {
        auto const state = merge_event(merge_event({}, a).next, b).next;
        CHECK(state.desired.full_name == "Second");
    }
}

TEST_CASE("merge: random sets of events in random orders end in one state [I2 I3]")
{
    auto const seed = std::random_device{}();
    MESSAGE("seed " << seed);
    std::mt19937 random{seed};
    for (auto round = 0; round < 20'000; ++round) {
        CAPTURE(seed);
        CAPTURE(round);
        std::vector<user_event> events;
        auto const size = 1 + random() % 9;
        for (std::size_t i = 0; i < size; ++i) {
            auto const version = static_cast<int>(random() % 5);
            switch (random() % 8) {
            case 0: events.push_back(deleted("u", version)); break;
            case 1: events.push_back(seen("u")); break;
            case 2: events.push_back(created("u", version)); break;
            default: events.push_back(updated("u", version));
            }
        }
        auto const fold = [&] {
            user_state state;
            for (auto const& event : events)
                state = merge_event(state, event).next;
            return state;
        };
        auto const expected = fold();
        std::shuffle(events.begin(), events.end(), random);
        auto const state = fold();
        REQUIRE(state.known == expected.known);
        REQUIRE(state.desired == expected.desired);
    }
}

TEST_CASE("block: an administrator's block stays; only the worker's own block is removed")
{
    struct
    {
        char const* name;
        bool banned_before, banned_after, row_blocked, by_us;
        std::optional<bool> expected;
        bool by_us_after;
    } const table[] = {
        {"banned now", false, true, false, false, true, true},
        {"banned now, but an admin blocked before", false, true, true, false, std::nullopt, false},
        {"unbanned, we had blocked", true, false, true, true, false, false},
        {"unbanned, an admin had blocked", true, false, true, false, std::nullopt, false},
        {"unbanned, an admin had unblocked already", true, false, false, true, std::nullopt, false},
        {"still banned, an admin unblocked", true, true, false, true, std::nullopt, true},
        {"never banned, an admin blocked", false, false, true, false, std::nullopt, false},
    };
    for (auto const& row : table) {
        CAPTURE(row.name);
        user_case user;
        user.row.emplace();
        user.row->blocked = row.row_blocked;
        user.written.blocked_by_us = row.by_us;
        user.before.desired.banned = row.banned_before;
        user.after.desired.banned = row.banned_after;
        CHECK(decide_block(user) == row.expected);
        CHECK(user.written.blocked_by_us == row.by_us_after);
    }
}
