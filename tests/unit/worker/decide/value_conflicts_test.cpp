// E-mail and username conflicts: the rules as a table, and as properties over all orders and random users.

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

candidate desiring(std::string id, std::string email, std::string username, bool verified, std::int64_t version)
{
    candidate made;
    made.clerk_id = std::move(id);
    made.email = std::move(email);
    made.username = std::move(username);
    made.email_verified = verified;
    made.version.updated_at_ms = version;
    made.may_link = verified;
    return made;
}

std::string text_of(assigned_values const& assigned)
{
    auto text = assigned.email + " " + assigned.username;
    if (assigned.linked_row) text += " =" + std::to_string(*assigned.linked_row);
    if (assigned.link_prevented) text += " prevented";
    return text;
}

std::map<std::string, std::string> assigned_to(
    std::vector<candidate> const& candidates, std::vector<local_row> const& locals = {})
{
    auto const result = assign_values(candidates, locals, domain);
    std::map<std::string, std::string> texts;
    for (std::size_t i = 0; i < candidates.size(); ++i)
        texts[candidates[i].clerk_id] = text_of(result.users[i]);
    return texts;
}

}

TEST_CASE("conflict: verified wins, then the newer version, then the smaller id; both fields [E5]")
{
    using texts = std::map<std::string, std::string>;
    struct
    {
        char const* name;
        std::vector<candidate> candidates;
        std::vector<local_row> locals;
        texts expected;
    } const table[] = {
        {"one user", {desiring("user_aaaaaa", "a@x", "a", true, 1)}, {}, {{"user_aaaaaa", "a@x a"}}},
        {"own fields may share a value", {desiring("user_aaaaaa", "a@x", "a@x", true, 1)}, {},
            {{"user_aaaaaa", "a@x a@x"}}},
        {"verified before newer",
            {desiring("user_aaaaaa", "v@x", "a", false, 9), desiring("user_bbbbbb", "v@x", "b", true, 1)}, {},
            {{"user_aaaaaa", "user_aaaaaa@clerk.user a"}, {"user_bbbbbb", "v@x b"}}},
        {"newer before older",
            {desiring("user_aaaaaa", "v@x", "a", true, 1), desiring("user_bbbbbb", "v@x", "b", true, 2)}, {},
            {{"user_aaaaaa", "user_aaaaaa@clerk.user a"}, {"user_bbbbbb", "v@x b"}}},
        {"same version: the smaller id",
            {desiring("user_bbbbbb", "b@x", "v", true, 1), desiring("user_aaaaaa", "a@x", "v", true, 1)}, {},
            {{"user_aaaaaa", "a@x v"}, {"user_bbbbbb", "b@x v-bbbbbb"}}},
        {"a username that is another's e-mail",
            {desiring("user_aaaaaa", "a@x", "b@x", true, 1), desiring("user_bbbbbb", "b@x", "b", true, 2)}, {},
            {{"user_aaaaaa", "a@x b@x-aaaaaa"}, {"user_bbbbbb", "b@x b"}}},
        {"a newer username does not take another user's verified address",
            {desiring("user_aaaaaa", "a@x", "b@x", true, 9), desiring("user_bbbbbb", "b@x", "b", true, 1)}, {},
            {{"user_aaaaaa", "a@x b@x-aaaaaa"}, {"user_bbbbbb", "b@x b"}}},
        {"a newer username takes an address that is not verified",
            {desiring("user_aaaaaa", "a@x", "b@x", true, 9), desiring("user_bbbbbb", "b@x", "b", false, 1)}, {},
            {{"user_aaaaaa", "a@x b@x"}, {"user_bbbbbb", "user_bbbbbb@clerk.user b"}}},
        {"usernames that differ in case are two",
            {desiring("user_aaaaaa", "a@x", "Same", true, 1), desiring("user_bbbbbb", "b@x", "same", true, 2)}, {},
            {{"user_aaaaaa", "a@x Same"}, {"user_bbbbbb", "b@x same"}}},
        {"a desired value wins over another user's fallback",
            {desiring("user_aaaaaa", "a@x", "v", true, 1), desiring("user_bbbbbb", "b@x", "v", true, 2),
                desiring("user_cccccc", "c@x", "v-aaaaaa", false, 1)},
            {}, {{"user_aaaaaa", "a@x user_aaaaaa"}, {"user_bbbbbb", "b@x v"}, {"user_cccccc", "c@x v-aaaaaa"}}},
        {"a value made of the own id wins",
            {desiring("user_aaaaaa", "user_aaaaaa@clerk.user", "user_aaaaaa", false, 1),
                desiring("user_bbbbbb", "user_aaaaaa@clerk.user", "user_aaaaaa", true, 9)},
            {},
            {{"user_aaaaaa", "user_aaaaaa@clerk.user user_aaaaaa"},
                {"user_bbbbbb", "user_bbbbbb@clerk.user user_aaaaaa-bbbbbb"}}},
        {"the first fallbacks are taken", {desiring("user_aaaaaa", "l@x", "l", false, 1)},
            {{1, "l@x", "l", true}, {2, "user_aaaaaa@clerk.user", "l-aaaaaa", true}, {3, "z@x", "user_aaaaaa", true}},
            {{"user_aaaaaa", "user_aaaaaa-2@clerk.user user_aaaaaa-2"}}},
        {"ids that differ in case only share no placeholder",
            {desiring("user_aaaaaa", "l@x", "a", false, 1), desiring("user_AAAAAA", "l@x", "b", false, 1)},
            {{1, "l@x", "l", true}},
            {{"user_aaaaaa", "user_aaaaaa-2@clerk.user a"}, {"user_AAAAAA", "user_aaaaaa@clerk.user b"}}},
    };
    for (auto const& row : table) {
        CAPTURE(row.name);
        CHECK(assigned_to(row.candidates, row.locals) == row.expected);
    }
}

TEST_CASE("conflict: links a local row to the verified winner only, else it keeps its values [E7]")
{
    auto const local = local_row{7, "l@x", "local", true};
    auto unverified = desiring("user_aaaaaa", "l@x", "a", false, 9);
    auto verified = desiring("user_bbbbbb", "l@x", "b", true, 1);
    CHECK(assigned_to({verified}, {local})["user_bbbbbb"] == "l@x b =7");
    CHECK(assigned_to({unverified}, {local})["user_aaaaaa"] == "user_aaaaaa@clerk.user a");
    CHECK(assigned_to({unverified, verified}, {local})["user_bbbbbb"] == "l@x b =7");
    SUBCASE("the row's username is free for the winner and for others")
    {
        verified.username = "local";
        CHECK(assigned_to({verified}, {local})["user_bbbbbb"] == "l@x local =7");
        verified.username = "b";
        unverified.email = "a@x";
        unverified.username = "local";
        CHECK(assigned_to({unverified, verified}, {local})["user_aaaaaa"] == "a@x local");
    }
    SUBCASE("the older of two verified users is assigned the fallback")
    {
        auto const newer = desiring("user_cccccc", "l@x", "c", true, 2);
        auto const texts = assigned_to({verified, newer}, {local});
        CHECK(texts.at("user_cccccc") == "l@x c =7");
        CHECK(texts.at("user_bbbbbb") == "user_bbbbbb@clerk.user b");
    }
    SUBCASE("a prevented link is reported")
    {
        CHECK(assigned_to({verified}, {local, {8, "l@x", "other", true}})["user_bbbbbb"]
            == "user_bbbbbb@clerk.user b prevented");
        CHECK(assigned_to({verified}, {local, {8, "o@x", "l@x", true}})["user_bbbbbb"]
            == "user_bbbbbb@clerk.user b prevented");
        verified.keeps_own_row = true;
        CHECK(assigned_to({verified}, {local})["user_bbbbbb"] == "user_bbbbbb@clerk.user b prevented");
    }
    SUBCASE("a match that is not a local user's e-mail is no link")
    {
        CHECK(assigned_to({verified}, {{7, "l@x", "local", false}})["user_bbbbbb"] == "user_bbbbbb@clerk.user b");
        CHECK(assigned_to({verified}, {{7, "o@x", "l@x", true}})["user_bbbbbb"] == "user_bbbbbb@clerk.user b");
        verified.may_link = false;
        CHECK(assigned_to({verified}, {local})["user_bbbbbb"] == "user_bbbbbb@clerk.user b");
    }
    SUBCASE("one link allows another")
    {
        auto const other = desiring("user_cccccc", "m@x", "c", true, 2);
        auto const texts = assigned_to({other, verified}, {{7, "l@x", "m@x", true}, {8, "m@x", "m", true}});
        CHECK(texts.at("user_bbbbbb") == "l@x b =7");
        CHECK(texts.at("user_cccccc") == "m@x c =8");
    }
}

namespace
{

// Few values, so that conflicts are frequent. Local rows are never linked here, because a link cannot be undone.
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

    [[nodiscard]] candidate random_candidate()
    {
        auto const number = std::to_string(below(8));
        auto const id = "user_00000" + number;
        auto one = desiring(id, value(), value(), chance(2), below(3));
        if (chance(4)) one.email = placeholder_email(id, domain);
        if (chance(4)) one.username = one.email;
        if (chance(8)) one.username = id;
        one.may_link = false;
        return one;
    }

    void apply(candidate const& one)
    {
        conflict_closure closure{domain};
        auto const before = users_.find(one.clerk_id);
        std::vector<std::string> shown;
        if (before != users_.end()) shown = {before->second.assigned.email, before->second.assigned.username};
        closure.add({one, shown});
        assign(closure);
    }

    void remove(std::string const& id)
    {
        auto const found = users_.find(id);
        if (found == users_.end()) return;
        conflict_closure closure{domain};
        closure.release(found->second.assigned.email);
        closure.release(found->second.assigned.username);
        users_.erase(found);
        assign(closure);
    }

    void apply_batch(std::vector<candidate> const& candidates)
    {
        conflict_closure closure{domain};
        std::map<std::string, candidate> last;
        for (auto const& one : candidates)
            last[one.clerk_id] = one;
        for (auto const& [id, one] : last) {
            auto const before = users_.find(id);
            std::vector<std::string> shown;
            if (before != users_.end()) shown = {before->second.assigned.email, before->second.assigned.username};
            closure.add({one, shown});
        }
        assign(closure);
    }

    [[nodiscard]] std::map<std::string, std::string> rows() const
    {
        std::map<std::string, std::string> texts;
        for (auto const& [id, user] : users_)
            texts[id] = text_of(user.assigned);
        return texts;
    }

    [[nodiscard]] std::map<std::string, std::string> from_scratch() const
    {
        std::vector<candidate> candidates;
        for (auto const& [id, user] : users_)
            candidates.push_back(user.desires);
        return assigned_to(candidates, locals_);
    }

    [[nodiscard]] bool is_unique() const
    {
        std::map<std::string, std::string> owners;
        auto unique = true;
        for (auto const& [id, user] : users_) {
            for (auto const& text : {user.assigned.email, user.assigned.username}) {
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
    struct known_user
    {
        candidate desires;
        assigned_values assigned;
    };

    [[nodiscard]] std::string value()
    {
        // Desired values, and placeholders and ids of other users.
        constexpr char const* values[] = {"a@x", "b@x", "c@x", "a", "b", "a-000001", "b-000002", "user_000001",
            "user_000003", "user_000002@clerk.user", "user_000001-2@clerk.user", "user_000003-2"};
        return values[below(12)];
    }

    [[nodiscard]] affected_rows find(
        std::vector<std::string> const& considered, std::vector<std::string> const& released) const
    {
        auto const among = [](std::vector<std::string> const& values, std::string const& one) {
            return std::find(values.begin(), values.end(), one) != values.end();
        };
        affected_rows found;
        for (auto const& [id, user] : users_) {
            auto const& assigned = user.assigned;
            auto touched = among(considered, assigned.email) || among(considered, assigned.username);
            for (auto const& one : assigned.waits_for)
                touched = touched || among(considered, one) || among(released, one);
            if (touched) found.users.push_back({user.desires, {assigned.email, assigned.username}});
        }
        for (auto const& row : locals_) {
            if (among(considered, row.email) || among(considered, row.username)) found.locals.push_back(row);
        }
        return found;
    }

    void assign(conflict_closure& closure)
    {
        auto const result =
            closure.assign([&](auto const& considered, auto const& released) { return find(considered, released); });
        for (std::size_t i = 0; i < result.users.size(); ++i)
            users_[closure.candidates()[i].clerk_id] = {closure.candidates()[i], result.users[i]};
    }

    std::minstd_rand random_;
    std::vector<local_row> locals_;
    std::map<std::string, known_user> users_;
};

}

TEST_CASE("conflict: the assignment does not depend on order: all orders of small sets [I2 E5]")
{
    for (std::uint32_t seed = 1; seed <= 200; ++seed) {
        CAPTURE(seed);
        small_world world{seed};
        std::map<std::string, candidate> by_id;
        for (auto i = 0; i < 5; ++i) {
            auto const one = world.random_candidate();
            by_id[one.clerk_id] = one;
        }
        std::vector<candidate> candidates;
        for (auto const& [id, one] : by_id)
            candidates.push_back(one);
        auto const expected = assigned_to(candidates);
        std::vector<std::size_t> order(candidates.size());
        std::iota(order.begin(), order.end(), std::size_t{0});
        do {
            std::vector<candidate> shuffled;
            for (auto const i : order)
                shuffled.push_back(candidates[i]);
            REQUIRE(assigned_to(shuffled) == expected);
        } while (std::next_permutation(order.begin(), order.end()));
    }
}

TEST_CASE("conflict: batch by batch equals an assignment over all users; no value twice [I2 E5 E6]")
{
    for (std::uint32_t seed = 1; seed <= 2'000; ++seed) {
        CAPTURE(seed);
        small_world world{seed};
        for (auto step = 0; step < 30; ++step) {
            CAPTURE(step);
            if (world.chance(4)) {
                world.remove("user_00000" + std::to_string(world.below(8)));
            } else if (world.chance(3)) {
                world.apply_batch({world.random_candidate(), world.random_candidate(), world.random_candidate()});
            } else {
                world.apply(world.random_candidate());
            }
            REQUIRE(world.rows() == world.from_scratch());
            REQUIRE(world.is_unique());
        }
    }
}
