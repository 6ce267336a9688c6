// What reconcile calls drift, and what it does not.

#include "worker/operate/drift.hpp"

#include <doctest/doctest.h>

#include <functional>

namespace clerk_strapi::worker
{
namespace
{

// A user in step, to be spoiled one thing at a time.
struct pair
{
    wanted_user wanted;
    user_facts found;
};

pair in_step()
{
    pair one;
    one.wanted.wishes.email = "ada@example.com";
    one.wanted.wishes.username = "ada";
    one.wanted.wishes.full_name = "Ada Lovelace";
    one.found.known = known_user{false, 1'750'000'000'000, one.wanted.wishes, false, {}};
    one.found.strapi = strapi_user_row{"ada@example.com", "ada", "Ada Lovelace", false, false, true, true};
    return one;
}

struct drift_case
{
    char const* what;
    std::function<void(pair&)> spoil;
    drift_kind kind;
    std::vector<drift_field> fields;
    bool conflict{false};
};

using f = drift_field;

drift_case const cases[] = {
    {"in step", [](pair&) {}, drift_kind::none, {}},
    {"no row", [](pair& p) { p.found.strapi.reset(); }, drift_kind::missing, {}},
    {"known to nobody",
        [](pair& p) {
            p.found.strapi.reset();
            p.found.known.reset();
        },
        drift_kind::missing, {}},
    {"the seed's row: no state of ours", [](pair& p) { p.found.known.reset(); }, drift_kind::differs, {f::state}},
    {"a tombstone (I3)",
        [](pair& p) {
            p.found.known->tombstone = true;
            p.found.strapi.reset();
        },
        drift_kind::tombstoned, {}},
    {"a row that DELETE_POLICY=block left, its state lost",
        [](pair& p) {
            p.found.known.reset();
            p.found.strapi->left_by_deletion = true;
        },
        drift_kind::tombstoned, {}},
    {"e-mail", [](pair& p) { p.found.strapi->email = "b@example.com"; }, drift_kind::differs, {f::email}},
    {"e-mail that somebody else has",
        [](pair& p) {
            p.found.strapi->email = "user_1@clerk.user";
            p.found.email_held = true;
        },
        drift_kind::none, {}, true},
    {"the same, but we do not know yet that he asks for it",
        [](pair& p) {
            p.found.strapi->email = "user_1@clerk.user";
            p.found.email_held = true;
            p.found.known->wishes.email = "old@example.com";
        },
        drift_kind::differs, {f::email}},
    {"a placeholder though nobody has the e-mail any more",
        [](pair& p) { p.found.strapi->email = "user_1@clerk.user"; }, drift_kind::differs, {f::email}},
    {"username", [](pair& p) { p.found.strapi->username = "b"; }, drift_kind::differs, {f::username}},
    {"username that somebody else has",
        [](pair& p) {
            p.found.strapi->username = "ada-user_1";
            p.found.username_held = true;
        },
        drift_kind::none, {}, true},
    {"a conflict hides no other field",
        [](pair& p) {
            p.found.strapi->username = "ada-user_1";
            p.found.username_held = true;
            p.found.strapi->full_name = "Ada";
        },
        drift_kind::differs, {f::full_name}, true},
    {"full name", [](pair& p) { p.found.strapi->full_name.reset(); }, drift_kind::differs, {f::full_name}},
    {"full name cleared in Clerk", [](pair& p) { p.wanted.wishes.full_name.reset(); }, drift_kind::differs,
        {f::full_name}},
    {"banned in Clerk, not here", [](pair& p) { p.wanted.wishes.banned = true; }, drift_kind::differs, {f::blocked}},
    {"banned in Clerk, let in by an admin since",
        [](pair& p) {
            p.wanted.wishes.banned = true;
            p.found.known->wishes.banned = true;
            p.found.known->blocked_by_us = true;
        },
        drift_kind::none, {}},
    {"blocked by us, no longer banned",
        [](pair& p) {
            p.found.strapi->blocked = true;
            p.found.known->blocked_by_us = true;
        },
        drift_kind::differs, {f::blocked}},
    {"blocked by an admin", [](pair& p) { p.found.strapi->blocked = true; }, drift_kind::none, {}},
    {"the map's answer changed", [](pair& p) { p.wanted.role_answer = "editor"; }, drift_kind::differs, {f::role}},
    {"the map has no answer any more", [](pair& p) { p.found.known->role_answer = "editor"; }, drift_kind::differs,
        {f::role}},
    {"the same, but an admin gave another role, or took it away",
        [](pair& p) {
            p.wanted.role_answer = "editor";
            p.found.strapi->has_given_role = false;
        },
        drift_kind::none, {}},
    {"no profile", [](pair& p) { p.found.strapi->has_profiles = false; }, drift_kind::differs, {f::profile}},
};

}

TEST_CASE("drift is what differs by our fault, field by field")
{
    for (auto const& one : cases) {
        CAPTURE(one.what);
        auto spoiled = in_step();
        one.spoil(spoiled);
        auto const verdict = judge_drift("user_1", spoiled.wanted, spoiled.found, "clerk.user");
        CHECK(to_string(verdict.kind) == to_string(one.kind));
        CHECK(verdict.fields == one.fields);
        CHECK(verdict.conflict == one.conflict);
    }
}

TEST_CASE("a user without e-mail and username has his placeholder, which is no drift (E6)")
{
    auto one = in_step();
    one.wanted = {};
    one.found.known->wishes = {};
    one.found.strapi = strapi_user_row{"user_1@clerk.user", "user_1", std::nullopt, false, false, true, true};
    CHECK(judge_drift("user_1", one.wanted, one.found, "clerk.user").kind == drift_kind::none);
}

TEST_CASE("a change is under way while it is young, or when the worker knows a newer one")
{
    user_facts found;
    CHECK(is_under_way(1'000'000, 1'059'999, 60'000, found));
    CHECK_FALSE(is_under_way(1'000'000, 1'060'000, 60'000, found));
    found.known = known_user{false, 1'000'001, {}, false, {}};
    CHECK(is_under_way(1'000'000, 9'000'000, 60'000, found));
    found.known->updated_at_ms = 1'000'000;
    CHECK_FALSE(is_under_way(1'000'000, 9'000'000, 60'000, found));
}

}
