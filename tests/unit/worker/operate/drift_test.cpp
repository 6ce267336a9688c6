// Which differences reconcile reports as drift.

#include "worker/operate/drift.hpp"

#include <doctest/doctest.h>

#include <functional>

namespace clerk_strapi::worker
{
namespace
{

// A user without drift; each case changes one thing.
struct pair
{
    wanted_user wanted;
    user_facts found;
};

pair in_step()
{
    pair one;
    one.wanted.desired.email = "ada@example.com";
    one.wanted.desired.username = "ada";
    one.wanted.desired.full_name = "Ada Lovelace";
    one.found.known = known_user{false, 1'750'000'000'000, one.wanted.desired, false, {}};
    one.found.strapi = strapi_user_row{"ada@example.com", "ada", "Ada Lovelace", false, false, true, true};
    return one;
}

struct drift_case
{
    char const* what;
    std::function<void(pair&)> change;
    drift_kind kind;
    std::vector<drift_field> fields;
    bool conflict{false};
};

using f = drift_field;

drift_case const cases[] = {
    {"in step", [](pair&) {}, drift_kind::none, {}},
    {"no row", [](pair& p) { p.found.strapi.reset(); }, drift_kind::missing, {}},
    {"no row and no state",
        [](pair& p) {
            p.found.strapi.reset();
            p.found.known.reset();
        },
        drift_kind::missing, {}},
    {"a row of the legacy plugin: no state of ours", [](pair& p) { p.found.known.reset(); }, drift_kind::differs,
        {f::state}},
    {"a tombstone (I3)",
        [](pair& p) {
            p.found.known->tombstone = true;
            p.found.strapi.reset();
        },
        drift_kind::tombstoned, {}},
    {"a row that DELETE_POLICY=block kept, its state lost",
        [](pair& p) {
            p.found.known.reset();
            p.found.strapi->left_by_deletion = true;
        },
        drift_kind::tombstoned, {}},
    {"e-mail", [](pair& p) { p.found.strapi->email = "b@example.com"; }, drift_kind::differs, {f::email}},
    {"e-mail that another user has",
        [](pair& p) {
            p.found.strapi->email = "user_1@clerk.user";
            p.found.email_held = true;
        },
        drift_kind::none, {}, true},
    {"e-mail that another user has, but our state has another desired e-mail",
        [](pair& p) {
            p.found.strapi->email = "user_1@clerk.user";
            p.found.email_held = true;
            p.found.known->desired.email = "old@example.com";
        },
        drift_kind::differs, {f::email}},
    {"a placeholder, but no user has the e-mail any more", [](pair& p) { p.found.strapi->email = "user_1@clerk.user"; },
        drift_kind::differs, {f::email}},
    {"username", [](pair& p) { p.found.strapi->username = "b"; }, drift_kind::differs, {f::username}},
    {"username that another user has",
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
    {"full name cleared in Clerk", [](pair& p) { p.wanted.desired.full_name.reset(); }, drift_kind::differs,
        {f::full_name}},
    {"banned in Clerk, not here", [](pair& p) { p.wanted.desired.banned = true; }, drift_kind::differs, {f::blocked}},
    {"banned in Clerk, then unblocked by an administrator",
        [](pair& p) {
            p.wanted.desired.banned = true;
            p.found.known->desired.banned = true;
            p.found.known->blocked_by_us = true;
        },
        drift_kind::none, {}},
    {"blocked by us, no longer banned",
        [](pair& p) {
            p.found.strapi->blocked = true;
            p.found.known->blocked_by_us = true;
        },
        drift_kind::differs, {f::blocked}},
    {"blocked by an administrator", [](pair& p) { p.found.strapi->blocked = true; }, drift_kind::none, {}},
    {"the map's answer changed", [](pair& p) { p.wanted.role_answer = "editor"; }, drift_kind::differs, {f::role}},
    {"the map has no answer any more", [](pair& p) { p.found.known->role_answer = "editor"; }, drift_kind::differs,
        {f::role}},
    {"the map's answer changed, but an administrator set or removed the role",
        [](pair& p) {
            p.wanted.role_answer = "editor";
            p.found.strapi->has_given_role = false;
        },
        drift_kind::none, {}},
    {"no profile", [](pair& p) { p.found.strapi->has_profiles = false; }, drift_kind::differs, {f::profile}},
};

}

TEST_CASE("drift: reports each field that the worker must change, and no other")
{
    for (auto const& one : cases) {
        CAPTURE(one.what);
        auto changed = in_step();
        one.change(changed);
        auto const found = find_drift("user_1", changed.wanted, changed.found, "clerk.user");
        CHECK(to_string(found.kind) == to_string(one.kind));
        CHECK(found.fields == one.fields);
        CHECK(found.conflict == one.conflict);
    }
}

TEST_CASE("drift: the placeholder of a user without e-mail and username is not drift (E6)")
{
    auto one = in_step();
    one.wanted = {};
    one.found.known->desired = {};
    one.found.strapi = strapi_user_row{"user_1@clerk.user", "user_1", std::nullopt, false, false, true, true};
    CHECK(find_drift("user_1", one.wanted, one.found, "clerk.user").kind == drift_kind::none);
}

TEST_CASE("drift: a change is not reported while it is recent, or when our state is newer")
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
