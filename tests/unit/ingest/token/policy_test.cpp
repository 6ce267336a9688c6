#include "ingest/token/session_token.hpp"
#include "tests/support/ingest/minted_token.hpp"
#include "tests/support/ingest/token_check.hpp"

#include <doctest/doctest.h>

namespace clerk_strapi::ingest
{
namespace
{

using tests::at;
using tests::mint;
using tests::our_policy;
using tests::rejection_of;
using tests::token_issuer;
using tests::token_now;

tests::json_members good() { return tests::token_claims(tests::token_now); }

}

TEST_CASE("B7 [I5]: a token without an end, with a long life or with fractional times is rejected")
{
    auto const bad = token_reason::invalid;
    struct
    {
        std::string name, value;
        token_reason reason;
    } const rows[] = {
        {"exp", R"("1800000060")", bad},
        {"exp", "1800000060.0", bad},
        {"exp", "1800000060.5", bad},
        {"exp", "1.80000006e9", bad},
        {"exp", "1e18", bad},
        {"exp", "1000000000000000000", bad},
        {"exp", "8640000000001", bad},
        {"exp", "1800000060000", bad}, // milliseconds
        {"exp", "100000000001", bad},
        {"exp", "100000000000", bad}, // in range, but 3114 years after iat
        {"exp", "18446744075509551676", bad}, // 2^64 more
        {"exp", "-1800000060", bad},
        {"exp", "-0", bad},
        {"exp", "999999999", bad},
        {"exp", "null", bad},
        {"exp", "true", bad},
        {"exp", "[1800000060]", bad},
        {"exp", "1000000000", token_reason::expired},
        {"exp", "1800000601", bad}, // 601 s after iat
        {"iat", "1484640000", bad}, // ten years old, and so exp - iat is too large
        {"iat", "null", bad},
        {"iat", R"("1800000000")", bad},
        {"iat", "999999999", bad},
        {"iat", "1800000006", token_reason::issued_in_the_future},
        {"nbf", "1800000006", token_reason::not_active_yet},
        {"nbf", "100000000000", token_reason::not_active_yet},
        {"nbf", "20000000000", token_reason::not_active_yet}, // 2^64 nanoseconds later than a day of 2019
        {"nbf", "100000000001", bad},
        {"nbf", "null", bad},
        {"nbf", "1799999990.0", bad},
    };
    for (auto const& row : rows) {
        CAPTURE(row.name);
        CAPTURE(row.value);
        CHECK(rejection_of(mint(good().set(row.name, row.value))) == row.reason);
    }
    for (std::string const name : {"exp", "iat", "nbf"}) {
        CAPTURE(name);
        CHECK(rejection_of(mint(good().drop(name))) == bad);
    }
    CHECK(rejection_of(mint(good().set("exp", "1800000600"))) == std::nullopt);
}

TEST_CASE("B7 [I5]: the longest life of a token is configurable")
{
    auto policy = our_policy();
    policy.life_max = std::chrono::seconds{3600};
    CHECK(rejection_of(mint(good().set("exp", "1800003600")), policy) == std::nullopt);
    CHECK(rejection_of(mint(good().set("exp", "1800003601")), policy) == token_reason::invalid);
}

TEST_CASE("B8 [I5]: clocks may differ by five seconds in each direction")
{
    auto const expiring = [](int seconds) { return mint(good().set("exp", std::to_string(token_now + seconds))); };
    auto const checked = [](std::string_view name, int seconds) {
        return rejection_of(mint(good().set(name, std::to_string(token_now + seconds))));
    };
    CHECK(rejection_of(expiring(0)) == std::nullopt);
    CHECK(rejection_of(expiring(-4)) == std::nullopt);
    CHECK(rejection_of(expiring(-5)) == token_reason::expired);
    CHECK(rejection_of(expiring(-6)) == token_reason::expired);
    CHECK(checked("nbf", 4) == std::nullopt);
    CHECK(checked("nbf", 5) == std::nullopt);
    CHECK(checked("nbf", 6) == token_reason::not_active_yet);
    CHECK(checked("iat", 5) == std::nullopt);
    CHECK(checked("iat", 6) == token_reason::issued_in_the_future);

    auto exact = our_policy();
    exact.skew = std::chrono::seconds{0};
    CHECK(rejection_of(expiring(1), exact) == std::nullopt);
    CHECK(rejection_of(expiring(0), exact) == token_reason::expired);
    auto const between = at(token_now) + std::chrono::milliseconds{5001}; // fractions of a second count
    CHECK(check_claims(*read_claims(good().set("exp", "1800000001").text()), our_policy(), between) == std::nullopt);
    CHECK(check_claims(*read_claims(good().set("exp", "1800000000").text()), our_policy(), between)
        == token_reason::expired);
}

TEST_CASE("B9 [I5]: only tokens of our own issuer are accepted")
{
    auto const rows = {R"("https://clerk.other.com")", R"("https://clerk.example.com/")",
        R"("http://clerk.example.com")", R"("https://clerk.example.com.attacker.example")",
        R"("https://clerk-example.com")", R"("https://CLERK.example.com")", R"("https://clerk.example.com:443")",
        R"("https://cl\u0435rk.example.com")", R"(" https://clerk.example.com")", R"("clerk.example.com")", R"("")",
        "null", "7", R"(["https://clerk.example.com"])"};
    for (std::string const issuer : rows) {
        CAPTURE(issuer);
        CHECK(rejection_of(mint(good().set("iss", issuer))) == token_reason::invalid_issuer);
    }
    CHECK(rejection_of(mint(good().drop("iss"))) == token_reason::invalid_issuer);
    CHECK(rejection_of(mint(good().set("iss", R"("https:\/\/clerk.example.com")"))) == std::nullopt); // the same text
}

TEST_CASE("B9 [I5]: without a configured issuer any https issuer is accepted")
{
    token_policy const policy;
    CHECK(rejection_of(mint(good()), policy) == std::nullopt);
    CHECK(rejection_of(mint(good().set("iss", R"("https://app.example.com/__clerk")")), policy) == std::nullopt);
    auto const rows = {R"("http://clerk.example.com")", R"("https://")", R"("https://clerk.example.com/")", R"("")",
        R"("https://clerk.example.com\n")", R"("https://cl\u0435rk.example.com")", R"("ftp://clerk.example.com")"};
    for (std::string const issuer : rows) {
        CAPTURE(issuer);
        CHECK(rejection_of(mint(good().set("iss", issuer)), policy) == token_reason::invalid_issuer);
    }
}

TEST_CASE("B10 [I5]: with a list of parties, a token without one or of another is rejected")
{
    auto const foreign = token_reason::invalid_authorized_parties;
    auto const rows = {R"("https://evil.example.com")", R"(["https://app.example.com"])",
        R"("https://APP.example.com")", R"("https://app.example.com.evil.com")", R"("https://x.app.example.com")",
        R"("https://app.example.com/")", R"("http://app.example.com")", R"("https://app.example.com:443")", R"("")",
        "null", "7"};
    for (std::string const party : rows) {
        CAPTURE(party);
        CHECK(rejection_of(mint(good().set("azp", party))) == foreign);
    }
    CHECK(rejection_of(mint(good().drop("azp"))) == foreign);
    token_policy const any{.issuer = std::string{token_issuer}};
    CHECK(rejection_of(mint(good().set("azp", R"("https://evil.example.com")")), any) == std::nullopt);
    CHECK(rejection_of(mint(good().set("azp", "7")), any) == foreign); // not a text
}

TEST_CASE("B12 [I5]: a token needs a user and a session id")
{
    auto const longest = "user_" + std::string(59, 'a'); // is_user_id() allows 64 characters after user_
    CHECK(rejection_of(mint(good().set("sub", "\"" + longest + "\""))) == std::nullopt);
    auto const subjects = {R"("")", "7", "null", R"(["user_2abc"])", R"({"id":"user_2abc"})", R"("user_")",
        R"("User_2abc")", R"("user_2a bc")", R"("user_2abc\u0000")", R"("user_2abc\n")", R"("user_2a-bc")",
        R"("user_2a_bc")", R"("user_\u00e4")", R"("org_2abc")", R"(" user_2abc")"};
    for (std::string const subject : subjects) {
        CAPTURE(subject);
        CHECK(rejection_of(mint(good().set("sub", subject))) == token_reason::invalid);
    }
    CHECK(rejection_of(mint(good().set("sub", "\"user_" + std::string(65, 'a') + "\""))) == token_reason::invalid);
    CHECK(rejection_of(mint(good().drop("sub"))) == token_reason::invalid);
    for (std::string const session : {R"("")", "7", "null", R"("sess_")", R"("ses_2abc")", R"("sess_2a.bc")"}) {
        CAPTURE(session);
        CHECK(rejection_of(mint(good().set("sid", session))) == token_reason::invalid);
    }
    CHECK(rejection_of(mint(good().drop("sid"))) == token_reason::invalid);
}

TEST_CASE("B13 [I5]: a pending session is rejected")
{
    CHECK(rejection_of(mint(good().set("sts", R"("pending")"))) == token_reason::pending);
    CHECK(rejection_of(mint(good().set("sts", R"("pendin\u0067")"))) == token_reason::pending);
    CHECK(rejection_of(mint(good().set("sts", "1"))) == token_reason::invalid);
    CHECK(rejection_of(mint(good().set("sts", R"(["pending"])"))) == token_reason::invalid);
    CHECK(rejection_of(mint(good().set("sts", R"("active")"))) == std::nullopt);
}

}
