// Who gets an e-mail or a username: the rule as a table, and as properties over all orders and random worlds.

#include "worker/decide/conflict_closure.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <random>

using namespace clerk_strapi;
using namespace clerk_strapi::worker;

namespace
{

constexpr auto domain = "clerk.user";

value_claim asker(std::string id, std::string email, std::string username, bool verified, std::int64_t version)
{
    value_claim made;
    made.clerk_id = std::move(id);
    made.email = std::move(email);
    made.username = std::move(username);
    made.email_verified = verified;
    made.version.updated_at_ms = version;
    made.asks_link = verified;
    return made;
}

std::string text_of(claim_grant const& grant)
{
    auto text = grant.email + " " + grant.username;
    if (grant.linked_row) text += " =" + std::to_string(*grant.linked_row);
    if (grant.link_missed) text += " missed";
    return text;
}

std::map<std::string, std::string> settled(
    std::vector<value_claim> const& claims, std::vector<local_row> const& locals = {})
{
    auto const result = settle_claims(claims, locals, domain);
    std::map<std::string, std::string> texts;
    for (std::size_t i = 0; i < claims.size(); ++i)
        texts[claims[i].clerk_id] = text_of(result.grants[i]);
    return texts;
}

}

TEST_CASE("who gets a value: verified first, then newer, then the smaller id; either field against either [E5]")
{
    using texts = std::map<std::string, std::string>;
    struct
    {
        char const* name;
        std::vector<value_claim> claims;
        std::vector<local_row> locals;
        texts expected;
    } const table[] = {
        {"alone", {asker("user_aaaaaa", "a@x", "a", true, 1)}, {}, {{"user_aaaaaa", "a@x a"}}},
        {"own fields may share a value", {asker("user_aaaaaa", "a@x", "a@x", true, 1)}, {},
            {{"user_aaaaaa", "a@x a@x"}}},
        {"verified before newer",
            {asker("user_aaaaaa", "v@x", "a", false, 9), asker("user_bbbbbb", "v@x", "b", true, 1)}, {},
            {{"user_aaaaaa", "user_aaaaaa@clerk.user a"}, {"user_bbbbbb", "v@x b"}}},
        {"newer before older", {asker("user_aaaaaa", "v@x", "a", true, 1), asker("user_bbbbbb", "v@x", "b", true, 2)},
            {}, {{"user_aaaaaa", "user_aaaaaa@clerk.user a"}, {"user_bbbbbb", "v@x b"}}},
        {"same version: the smaller id",
            {asker("user_bbbbbb", "b@x", "v", true, 1), asker("user_aaaaaa", "a@x", "v", true, 1)}, {},
            {{"user_aaaaaa", "a@x v"}, {"user_bbbbbb", "b@x v-bbbbbb"}}},
        {"a username that is another's e-mail",
            {asker("user_aaaaaa", "a@x", "b@x", true, 1), asker("user_bbbbbb", "b@x", "b", true, 2)}, {},
            {{"user_aaaaaa", "a@x b@x-aaaaaa"}, {"user_bbbbbb", "b@x b"}}},
        {"a verified address is its owner's, however new the wish to be called so",
            {asker("user_aaaaaa", "a@x", "b@x", true, 9), asker("user_bbbbbb", "b@x", "b", true, 1)}, {},
            {{"user_aaaaaa", "a@x b@x-aaaaaa"}, {"user_bbbbbb", "b@x b"}}},
        {"an address that nobody verified is not",
            {asker("user_aaaaaa", "a@x", "b@x", true, 9), asker("user_bbbbbb", "b@x", "b", false, 1)}, {},
            {{"user_aaaaaa", "a@x b@x"}, {"user_bbbbbb", "user_bbbbbb@clerk.user b"}}},
        {"usernames that differ in case are two",
            {asker("user_aaaaaa", "a@x", "Same", true, 1), asker("user_bbbbbb", "b@x", "same", true, 2)}, {},
            {{"user_aaaaaa", "a@x Same"}, {"user_bbbbbb", "b@x same"}}},
        {"a wish goes before another's placeholder",
            {asker("user_aaaaaa", "a@x", "v", true, 1), asker("user_bbbbbb", "b@x", "v", true, 2),
                asker("user_cccccc", "c@x", "v-aaaaaa", false, 1)},
            {}, {{"user_aaaaaa", "a@x user_aaaaaa"}, {"user_bbbbbb", "b@x v"}, {"user_cccccc", "c@x v-aaaaaa"}}},
        {"a value made of one's own id goes before all else",
            {asker("user_aaaaaa", "user_aaaaaa@clerk.user", "user_aaaaaa", false, 1),
                asker("user_bbbbbb", "user_aaaaaa@clerk.user", "user_aaaaaa", true, 9)},
            {},
            {{"user_aaaaaa", "user_aaaaaa@clerk.user user_aaaaaa"},
                {"user_bbbbbb", "user_bbbbbb@clerk.user user_aaaaaa-bbbbbb"}}},
        {"even the placeholders are taken", {asker("user_aaaaaa", "l@x", "l", false, 1)},
            {{1, "l@x", "l", true}, {2, "user_aaaaaa@clerk.user", "l-aaaaaa", true}, {3, "z@x", "user_aaaaaa", true}},
            {{"user_aaaaaa", "user_aaaaaa-2@clerk.user user_aaaaaa-2"}}},
        {"ids that differ in case only share no placeholder",
            {asker("user_aaaaaa", "l@x", "a", false, 1), asker("user_AAAAAA", "l@x", "b", false, 1)},
            {{1, "l@x", "l", true}},
            {{"user_aaaaaa", "user_aaaaaa-2@clerk.user a"}, {"user_AAAAAA", "user_aaaaaa@clerk.user b"}}},
    };
    for (auto const& row : table) {
        CAPTURE(row.name);
        CHECK(settled(row.claims, row.locals) == row.expected);
    }
}

TEST_CASE("a local row is linked to the verified winner only, and never displaced otherwise [E7]")
{
    auto const local = local_row{7, "l@x", "local", true};
    auto unverified = asker("user_aaaaaa", "l@x", "a", false, 9);
    auto verified = asker("user_bbbbbb", "l@x", "b", true, 1);
    CHECK(settled({verified}, {local})["user_bbbbbb"] == "l@x b =7");
    CHECK(settled({unverified}, {local})["user_aaaaaa"] == "user_aaaaaa@clerk.user a");
    CHECK(settled({unverified, verified}, {local})["user_bbbbbb"] == "l@x b =7");
    SUBCASE("his username is free for the winner, and for others")
    {
        verified.username = "local";
        CHECK(settled({verified}, {local})["user_bbbbbb"] == "l@x local =7");
        verified.username = "b";
        unverified.email = "a@x";
        unverified.username = "local";
        CHECK(settled({unverified, verified}, {local})["user_aaaaaa"] == "a@x local");
    }
    SUBCASE("the older of two verified askers gets nothing")
    {
        auto const newer = asker("user_cccccc", "l@x", "c", true, 2);
        auto const texts = settled({verified, newer}, {local});
        CHECK(texts.at("user_cccccc") == "l@x c =7");
        CHECK(texts.at("user_bbbbbb") == "user_bbbbbb@clerk.user b");
    }
    SUBCASE("what forbids it is said")
    {
        CHECK(settled({verified}, {local, {8, "l@x", "other", true}})["user_bbbbbb"]
            == "user_bbbbbb@clerk.user b missed");
        CHECK(
            settled({verified}, {local, {8, "o@x", "l@x", true}})["user_bbbbbb"] == "user_bbbbbb@clerk.user b missed");
        verified.keeps_own_row = true;
        CHECK(settled({verified}, {local})["user_bbbbbb"] == "user_bbbbbb@clerk.user b missed");
    }
    SUBCASE("a match that is not a local user's e-mail is no link")
    {
        CHECK(settled({verified}, {{7, "l@x", "local", false}})["user_bbbbbb"] == "user_bbbbbb@clerk.user b");
        CHECK(settled({verified}, {{7, "o@x", "l@x", true}})["user_bbbbbb"] == "user_bbbbbb@clerk.user b");
        verified.asks_link = false;
        CHECK(settled({verified}, {local})["user_bbbbbb"] == "user_bbbbbb@clerk.user b");
    }
    SUBCASE("one link makes room for another")
    {
        auto const other = asker("user_cccccc", "m@x", "c", true, 2);
        auto const texts = settled({other, verified}, {{7, "l@x", "m@x", true}, {8, "m@x", "m", true}});
        CHECK(texts.at("user_bbbbbb") == "l@x b =7");
        CHECK(texts.at("user_cccccc") == "m@x c =8");
    }
}

namespace
{

// A world of few values, so that everybody meets everybody. Local rows are never linked here: a link is one way.
class small_world
{
public:
    explicit small_world(std::uint32_t seed)
        : random_(seed)
    {
        for (auto i = 0; i < 3; ++i) {
            if (chance(2)) locals_.push_back({i, value(), value(), true});
        }
    }

    [[nodiscard]] value_claim random_claim()
    {
        auto const number = std::to_string(below(8));
        auto const id = "user_00000" + number;
        auto claim = asker(id, value(), value(), chance(2), below(3));
        if (chance(4)) claim.email = placeholder_email(id, domain);
        if (chance(4)) claim.username = claim.email;
        if (chance(8)) claim.username = id;
        claim.asks_link = false;
        return claim;
    }

    void come(value_claim const& claim)
    {
        claim_closure closure{domain};
        auto const before = users_.find(claim.clerk_id);
        std::vector<std::string> holds;
        if (before != users_.end()) holds = {before->second.got.email, before->second.got.username};
        closure.add({claim, holds});
        settle(closure);
    }

    void go(std::string const& id)
    {
        auto const gone = users_.find(id);
        if (gone == users_.end()) return;
        claim_closure closure{domain};
        closure.leave(gone->second.got.email);
        closure.leave(gone->second.got.username);
        users_.erase(gone);
        settle(closure);
    }

    // Somebody of the batch, or many.
    void come_together(std::vector<value_claim> const& claims)
    {
        claim_closure closure{domain};
        std::map<std::string, value_claim> last;
        for (auto const& one : claims)
            last[one.clerk_id] = one;
        for (auto const& [id, one] : last) {
            auto const before = users_.find(id);
            std::vector<std::string> holds;
            if (before != users_.end()) holds = {before->second.got.email, before->second.got.username};
            closure.add({one, holds});
        }
        settle(closure);
    }

    [[nodiscard]] std::map<std::string, std::string> rows() const
    {
        std::map<std::string, std::string> texts;
        for (auto const& [id, user] : users_)
            texts[id] = text_of(user.got);
        return texts;
    }

    [[nodiscard]] std::map<std::string, std::string> from_scratch() const
    {
        std::vector<value_claim> claims;
        for (auto const& [id, user] : users_)
            claims.push_back(user.claim);
        return settled(claims, locals_);
    }

    [[nodiscard]] bool is_unique() const
    {
        std::map<std::string, std::string> owners;
        auto unique = true;
        for (auto const& [id, user] : users_) {
            for (auto const& text : {user.got.email, user.got.username}) {
                unique = unique && owners.try_emplace(text, id).first->second == id;
                for (auto const& row : locals_)
                    unique = unique && row.email != text && row.username != text;
            }
        }
        return unique;
    }

    [[nodiscard]] int below(int bound) { return static_cast<int>(random_() % static_cast<std::uint32_t>(bound)); }
    [[nodiscard]] bool chance(int one_in) { return below(one_in) == 0; }

private:
    struct granted_user
    {
        value_claim claim;
        claim_grant got;
    };

    [[nodiscard]] std::string value()
    {
        // Wishes, and placeholders and ids of others.
        constexpr char const* values[] = {"a@x", "b@x", "c@x", "a", "b", "a-000001", "b-000002", "user_000001",
            "user_000003", "user_000002@clerk.user", "user_000001-2@clerk.user", "user_000003-2"};
        return values[below(12)];
    }

    [[nodiscard]] neighbours look(std::vector<std::string> const& asked, std::vector<std::string> const& left) const
    {
        auto const among = [](std::vector<std::string> const& values, std::string const& one) {
            return std::find(values.begin(), values.end(), one) != values.end();
        };
        neighbours found;
        for (auto const& [id, user] : users_) {
            auto const& got = user.got;
            auto touched = among(asked, got.email) || among(asked, got.username);
            for (auto const& one : got.waits_for)
                touched = touched || among(asked, one) || among(left, one);
            if (touched) found.claims.push_back({user.claim, {got.email, got.username}});
        }
        for (auto const& row : locals_) {
            if (among(asked, row.email) || among(asked, row.username)) found.locals.push_back(row);
        }
        return found;
    }

    void settle(claim_closure& closure)
    {
        auto const result = closure.settle([&](auto const& asked, auto const& left) { return look(asked, left); });
        for (std::size_t i = 0; i < result.grants.size(); ++i)
            users_[closure.claims()[i].clerk_id] = {closure.claims()[i], result.grants[i]};
    }

    std::minstd_rand random_;
    std::vector<local_row> locals_;
    std::map<std::string, granted_user> users_;
};

}

TEST_CASE("grants do not depend on the order in which anybody asks: all orders of small sets [I2 E5]")
{
    for (std::uint32_t seed = 1; seed <= 200; ++seed) {
        CAPTURE(seed);
        small_world world{seed};
        std::map<std::string, value_claim> by_id;
        for (auto i = 0; i < 5; ++i) {
            auto const one = world.random_claim();
            by_id[one.clerk_id] = one;
        }
        std::vector<value_claim> claims;
        for (auto const& [id, one] : by_id)
            claims.push_back(one);
        auto const expected = settled(claims);
        std::vector<std::size_t> order(claims.size());
        std::iota(order.begin(), order.end(), std::size_t{0});
        do {
            std::vector<value_claim> shuffled;
            for (auto const i : order)
                shuffled.push_back(claims[i]);
            REQUIRE(settled(shuffled) == expected);
        } while (std::next_permutation(order.begin(), order.end()));
    }
}

TEST_CASE("settled batch by batch, with comings, changes and goings, is settled from scratch; nobody shares [I2 E5 E6]")
{
    for (std::uint32_t seed = 1; seed <= 2'000; ++seed) {
        CAPTURE(seed);
        small_world world{seed};
        for (auto step = 0; step < 30; ++step) {
            CAPTURE(step);
            if (world.chance(4)) {
                world.go("user_00000" + std::to_string(world.below(8)));
            } else if (world.chance(3)) {
                world.come_together({world.random_claim(), world.random_claim(), world.random_claim()});
            } else {
                world.come(world.random_claim());
            }
            REQUIRE(world.rows() == world.from_scratch());
            REQUIRE(world.is_unique());
        }
    }
}
