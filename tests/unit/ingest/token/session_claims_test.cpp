#include "ingest/token/organization_permissions.hpp"
#include "ingest/token/session_token.hpp"
#include "tests/support/ingest/minted_token.hpp"

#include <doctest/doctest.h>

namespace clerk_strapi::ingest
{
namespace
{

using tests::json_members;

using names = std::vector<std::string>;

json_members good() { return tests::token_claims(1'800'000'000); }
result<session_claims, token_reason> read(json_members const& claims) { return read_claims(claims.text()); }
bool is_refused(json_members const& claims)
{
    auto const got = read(claims);
    return got.has_error() && got.error() == token_reason::invalid;
}

}

TEST_CASE("[I5] claims: user, session, issuer, party and times are read")
{
    auto const claims = read(good());
    REQUIRE(claims.has_value());
    CHECK(claims->clerk_id == "user_2abc");
    CHECK(claims->session_id == "sess_2abc");
    CHECK(claims->issuer == tests::token_issuer);
    CHECK(claims->authorized_party == tests::token_party);
    CHECK(claims->expires_at == 1'800'000'060);
    CHECK(claims->issued_at == 1'800'000'000);
    CHECK(claims->not_before == 1'799'999'990);
    CHECK_FALSE(claims->pending);
    CHECK_FALSE(claims->actor);
    CHECK_FALSE(claims->organization);
    CHECK_FALSE(claims->profile.email);
}

TEST_CASE("B14: the actor of a token is read")
{
    auto const claims = read(good().set(
        "act", R"({"iss":"https://dashboard.example.com","sid":"sess_9","sub":"user_9","type":"agent","x":[1]})"));
    REQUIRE(claims.has_value());
    REQUIRE(claims->actor);
    CHECK(claims->actor->subject == "user_9");
    CHECK(claims->actor->issuer == "https://dashboard.example.com");
    CHECK(claims->actor->session_id == "sess_9");
    CHECK(claims->actor->type == "agent");

    auto const bare = read(good().set("act", R"({"sub":"user_9"})"));
    REQUIRE(bare.has_value());
    CHECK(bare->actor->subject == "user_9");
    CHECK_FALSE(bare->actor->issuer);
    CHECK_FALSE(read(good().set("act", "null"))->actor);
}

TEST_CASE("B14 [I5]: an actor without a subject is rejected")
{
    for (std::string const actor : {"{}", "[]", "true", "7", R"("user_9")", R"({"sub":""})", R"({"sub":7})",
             R"({"sub":"user_9","sid":7})", R"({"sub":"user_9","iss":[]})", R"({"sub":"user_9","type":1})"}) {
        CAPTURE(actor);
        CHECK(is_refused(good().set("act", actor)));
    }
}

TEST_CASE("claims: the organization of a version 2 token, with expanded permissions")
{
    auto const claims =
        read(good()
                 .set("fea", R"("o:dashboard,u:search,o:teams")")
                 .set("o", R"({"id":"org_1","slg":"acme","rol":"admin","per":"create,read,delete","fpm":"3,6"})"));
    REQUIRE(claims.has_value());
    REQUIRE(claims->organization);
    CHECK(claims->organization->id == "org_1");
    CHECK(claims->organization->slug == "acme");
    CHECK(claims->organization->role == "admin");
    CHECK(
        claims->organization->permissions == names{"dashboard:create", "dashboard:read", "teams:read", "teams:delete"});

    auto const bare = read(good().set("o", R"({"id":"org_1"})"));
    REQUIRE(bare.has_value());
    CHECK(bare->organization->id == "org_1");
    CHECK_FALSE(bare->organization->role);
    CHECK(bare->organization->permissions.empty());
}

TEST_CASE("claims: the organization of a version 1 token, without Clerk's prefixes")
{
    auto const claims = read(good()
                                 .drop("v")
                                 .set("org_id", R"("org_1")")
                                 .set("org_slug", R"("acme")")
                                 .set("org_role", R"("org:admin")")
                                 .set("org_permissions", R"(["org:dashboard:create","org:teams:read"])"));
    REQUIRE(claims.has_value());
    REQUIRE(claims->organization);
    CHECK(claims->organization->id == "org_1");
    CHECK(claims->organization->slug == "acme");
    CHECK(claims->organization->role == "admin");
    CHECK(claims->organization->permissions == names{"dashboard:create", "teams:read"});
    CHECK_FALSE(read(good().drop("v").set("org_id", "null"))->organization);
}

TEST_CASE("claims: the token's version selects the organization claim")
{
    auto both = good().set("o", R"({"id":"org_2"})").set("org_id", R"("org_1")");
    CHECK(read(both)->organization->id == "org_2");
    CHECK(read(both.drop("v"))->organization->id == "org_1");
    CHECK_FALSE(read(good().set("org_id", R"("org_1")"))->organization);
    CHECK_FALSE(read(good().drop("v").set("o", "7"))->organization); // a custom claim of that name
}

TEST_CASE("[I5] an organization of the wrong type is rejected")
{
    for (std::string const organization : {"{}", "[]", "7", R"("org_1")", R"({"id":7})", R"({"id":""})",
             R"({"id":"org_1","rol":7})", R"({"id":"org_1","per":[]})", R"({"id":"org_1","fpm":3})"}) {
        CAPTURE(organization);
        CHECK(is_refused(good().set("o", organization)));
    }
    auto const old = good().drop("v").set("org_id", R"("org_1")");
    CHECK(is_refused(json_members{old}.set("org_id", "7")));
    CHECK(is_refused(json_members{old}.set("org_role", "7")));
    CHECK(is_refused(json_members{old}.set("org_permissions", "7")));
    CHECK(is_refused(json_members{old}.set("org_permissions", R"(["org:a:b",7])")));
}

TEST_CASE("permissions: each feature of the organization has a mask; the lowest bit is the first name")
{
    struct
    {
        std::string_view features, names_, masks;
        names expected;
    } const rows[] = {
        {"o:a", "x,y", "1", {"a:x"}},
        {"o:a", "x,y", "2", {"a:y"}},
        {"o:a,o:b", "x,y", "3,1", {"a:x", "a:y", "b:x"}},
        {"u:p,o:a", "x", "1", {"a:x"}}, // a user's feature has no mask
        {"ou:a,uo:b,x:c", "x", "1,1,1", {"a:x", "b:x"}},
        {"o:a, o:b", "x, y", "1, 2", {"a:x", "b:y"}},
        {"o:a,o:b", "x", "1", {"a:x"}}, // a mask is missing
        {"o:a", "x", "1,1", {"a:x"}}, // a feature is missing
        {"o:a", "x", "255", {"a:x"}}, // bits without a name
        {"o:a", "x", "0", {}},
        {"o:a,o:b", "x", "-1,1", {"b:x"}},
        {"o:a,o:b", "x", "one,1", {"b:x"}},
        {"o:a,o:b", "x", "99999999999999999999999,1", {"b:x"}},
        {"o:a", "x", "", {}},
        {"o:a", "", "1", {}},
        {"", "x", "1", {}},
        {"nonsense", "x", "1", {}},
    };
    for (auto const& row : rows) {
        CAPTURE(row.features);
        CAPTURE(row.masks);
        CHECK(expand_permissions({.features = row.features, .names = row.names_, .masks = row.masks}) == row.expected);
    }
}

TEST_CASE("claims: the provisioning profile comes from custom claims that are texts")
{
    auto const profile = [](json_members const& claims) { return read(claims)->profile; };
    CHECK(profile(good().set("email", R"("a@example.com")")).email == "a@example.com");
    CHECK(profile(good().set("email_address", R"("b@example.com")")).email == "b@example.com");
    CHECK(profile(good().set("primary_email_address", R"("c@example.com")")).email == "c@example.com");
    CHECK(profile(good().set("primary_email_address", R"("c@example.com")").set("email", R"("a@example.com")")).email
        == "a@example.com"); // in any order
    CHECK(profile(good().set("email", R"("")").set("email_address", R"("b@example.com")")).email == "b@example.com");
    CHECK(profile(good().set("username", R"("zoe")")).username == "zoe");
    CHECK(profile(good().set("first_name", R"("Zo\u00eb")")).first_name == "Zo\xc3\xab");
    CHECK(profile(good().set("given_name", R"("Zoe")")).first_name == "Zoe");
    CHECK(profile(good().set("last_name", R"("Doe")")).last_name == "Doe");
    CHECK(profile(good().set("family_name", R"("Doe")")).last_name == "Doe");
    for (std::string const value : {"null", "7", R"("")", "[]", R"({"a":1})", "true"}) {
        CAPTURE(value);
        CHECK_FALSE(profile(good().set("email", value)).email);
        CHECK_FALSE(profile(good().set("username", value)).username);
        CHECK_FALSE(profile(good().set("first_name", value)).first_name);
    }
}

}
