#include "ingest/token/presented_token.hpp"
#include "ingest/token/publishable_key.hpp"
#include "tests/support/ingest/minted_token.hpp"
#include "tests/support/ingest/signed_webhook.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace clerk_strapi::ingest
{
namespace
{

using tests::must;
using tests::token_claims;
using tests::token_issuer;

using values = std::vector<std::string_view>;

constexpr std::string_view suffix = "naoXFJnI";
constexpr std::int64_t now = 1'800'000'000;

// The claims are read without verifying the signature, so these tokens have an invalid one.
std::string unsigned_token(tests::json_members const& claims)
{
    return "e30." + tests::encode_base64url(claims.text()) + ".AAAA";
}
std::string issued_at(std::int64_t seconds) { return unsigned_token(token_claims(seconds)); }

presented_token choose_cookie(values const& cookies, std::string_view own_issuer = token_issuer)
{
    return choose_token({}, cookies, suffix, own_issuer);
}

}

TEST_CASE("publishable key: determines the issuer and the cookie suffix")
{
    struct
    {
        std::string_view text, host, suffix_;
        bool live;
    } const rows[] = {
        {"pk_live_Y2xlcmsuZXhhbXBsZS5jb20k", "clerk.example.com", "naoXFJnI", true},
        {"pk_test_Y2xlcmsuaW5zcGlyZWQucHVtYS03NC5sY2wuZGV2JA", "clerk.inspired.puma-74.lcl.dev", "vWCgMp3A", false},
        {"pk_live_Y2xlcmsuaW5zcGlyZWQucHVtYS03NC5sY2wuZGV2JA", "clerk.inspired.puma-74.lcl.dev", "MqCvchyS", true},
        {"pk_test_Zm9vLWJhci0xMy5jbGVyay5hY2NvdW50cy5kZXYk", "foo-bar-13.clerk.accounts.dev", "nx2hSE6I", false},
    };
    for (auto const& row : rows) {
        CAPTURE(row.text);
        auto const key = must(parse_publishable_key(row.text));
        CHECK(key.frontend_api == row.host);
        CHECK(key.issuer() == "https://" + std::string{row.host});
        CHECK(key.cookie_suffix == row.suffix_);
        CHECK(key.live == row.live);
    }
    CHECK(must(parse_publishable_key("pk_test_Y2xlcmsuaW5zcGlyZWQucHVtYS03NC5sY2wuZGV2JA==")).frontend_api
        == "clerk.inspired.puma-74.lcl.dev"); // padded: another text, another suffix
    CHECK(must(parse_publishable_key("pk_live_Q0xFUksuRXhhbXBsZS5jb20k")).frontend_api == "clerk.example.com");
}

TEST_CASE("publishable key: a truncated key or another kind of key is an error")
{
    auto const rows = {"", "pk_live_", "pk_live_JA", "pk_live_Y2xlcmsuZXhhbXBsZS5jb20", // no $
        "pk_live_Y2xlcmsuZXhhbXBsZS5jb20kJA", // $$
        "pk_live_bG9jYWxob3N0JA", // no dot
        "pk_live_Y2xlcmsuZXhhbXBsZS5jb20k_x", "pk_live_Y2xlcmsuZXhhbXBsZS5jb20k=", "pk_prod_Y2xlcmsuZXhhbXBsZS5jb20k",
        "PK_LIVE_Y2xlcmsuZXhhbXBsZS5jb20k", "sk_live_Y2xlcmsuZXhhbXBsZS5jb20k", "Y2xlcmsuZXhhbXBsZS5jb20k",
        " pk_live_Y2xlcmsuZXhhbXBsZS5jb20k", "pk_live_Y2xlcmsuZXhhbXBsZS5jb20k ", "pk_live_????",
        "pk_live_aHR0cHM6Ly9jbGVyay5leGFtcGxlLmNvbSQ", // https://clerk.example.com$
        "pk_live_LmV4YW1wbGUuY29tJA", // .example.com$
        "pk_live_Y2xlcmsuLmNvbSQ", // clerk..com$
        "pk_live_Y2xlcmsuZXhhbXBsZS5jb20KJA"}; // clerk.example.com\n$
    for (std::string_view const text : rows) {
        CAPTURE(text);
        auto const key = parse_publishable_key(text);
        REQUIRE(key.has_error());
        CHECK(key.error().size() > 20);
    }
}

TEST_CASE("B19: the token follows the scheme Bearer, in any case")
{
    std::pair<std::string_view, std::string_view> const rows[] = {
        {"Bearer a.b.c", "a.b.c"},
        {"bearer a.b.c", "a.b.c"},
        {"BEARER   a.b.c  ", "a.b.c"},
        {" \tBearer a.b.c", "a.b.c"},
        {"Bearer a.b.c, Bearer d.e.f", "a.b.c, Bearer d.e.f"}, // no token has a comma: rejected later
        {"Bearer", ""},
        {"Bearer  ", ""},
    };
    for (auto const& [header, token] : rows) {
        CAPTURE(header);
        auto const got = choose_token(values{header}, values{"__session=cookie"}, {}, {});
        CHECK(got.origin == token_origin::header);
        CHECK(got.text == token);
        CHECK_FALSE(got.ambiguous);
    }
}

TEST_CASE("B19: another scheme, or none, is no token; a cookie may still be one")
{
    for (std::string_view const header :
        {"Basic dXNlcjpwYXNz", "a.b.c", "", "Bearera.b.c", "Bearer:a.b.c", "Token a"}) {
        CAPTURE(header);
        CHECK(choose_token(values{header}, {}, {}, {}).origin == token_origin::none);
        CHECK(choose_token(values{header}, values{"__session=cookie"}, {}, {}).text == "cookie");
    }
}

TEST_CASE("B19 [I5]: two Authorization headers are never accepted, even if equal")
{
    for (auto const& headers :
        {values{"Bearer a", "Bearer b"}, values{"Bearer a", "Bearer a"}, values{"Basic a", "Bearer b"}}) {
        auto const got = choose_token(headers, values{"__session=cookie"}, {}, {});
        CHECK(got.origin == token_origin::header);
        CHECK(got.ambiguous);
    }
}

TEST_CASE("B19: the session cookie is found among others, by its exact name")
{
    std::pair<values, std::string_view> const rows[] = {
        {{"__session=t"}, "t"},
        {{"a=b; __session=t; c=d"}, "t"},
        {{"a=b;__session=t;c=d"}, "t"},
        {{"a=b", "__session=t"}, "t"},
        {{" \t__session = t "}, "t"},
        {{"__session=a=b"}, "a=b"},
        {{"__session=\"t\""}, "\"t\""}, // the quotes are part of the value, so it is rejected later
        {{"__session="}, ""},
        {{"__session"}, ""},
        {{"x__session=t"}, ""},
        {{"__sessionx=t"}, ""},
        {{"__SESSION=t"}, ""},
        {{"__session_naoXFJnI=t"}, ""}, // of an instance that we do not know
        {{";;=;a;=b;"}, ""},
        {{}, ""},
    };
    for (auto const& [cookies, token] : rows) {
        CAPTURE(token);
        auto const got = choose_token({}, cookies, {}, {});
        CHECK(got.text == token);
        CHECK(got.origin == (token.empty() ? token_origin::none : token_origin::cookie));
        CHECK_FALSE(got.ambiguous);
    }
}

TEST_CASE("B19 [I5]: a cookie with two values is never accepted; equal values count as one")
{
    CHECK(choose_token({}, values{"__session=a; __session=b"}, {}, {}).ambiguous);
    CHECK(choose_token({}, values{"__session=a", "x=y; __session=b"}, {}, {}).ambiguous);
    CHECK_FALSE(choose_token({}, values{"__session=a; __session=a"}, {}, {}).ambiguous);
    CHECK_FALSE(choose_token({}, values{"__session=a; __session="}, {}, {}).ambiguous);
    // Only the chosen one counts.
    CHECK_FALSE(choose_cookie({"__session_other=a; __session_other=b; __session=c"}).ambiguous);
}

TEST_CASE("B19: the choice between the two sets of cookies")
{
    auto const ours = issued_at(now);
    auto const newer = issued_at(now + 1);
    auto const other = unsigned_token(token_claims(now).set("iss", R"("https://clerk.other.com")"));
    auto const nameless = unsigned_token(token_claims(now).drop("iss"));
    auto const own = std::string{"__session_naoXFJnI="};
    auto const uat = std::string{"__client_uat_naoXFJnI="};
    struct
    {
        std::string name, cookies;
        std::string expected;
    } const rows[] = {
        {"both, equally old", "__session=" + ours + "; " + own + ours + "; __client_uat=1; " + uat + "1", ours},
        {"only ours", own + ours + "; " + uat + "1", ours},
        {"only the plain one", "__session=" + ours + "; __client_uat=1", ours},
        {"plain one without issuer", "__session=" + nameless + "; " + own + ours + "; " + uat + "1", nameless},
        {"plain one is garbage", "__session=garbage; " + own + ours + "; " + uat + "1", "garbage"},
        {"plain one of another instance", "__session=" + other + "; " + own + ours + "; " + uat + "1", ours},
        {"plain one of another instance, and none of ours", "__session=" + other + "; __client_uat=1", ""},
        {"plain one newer", "__session=" + newer + "; " + own + ours + "; __client_uat=1; " + uat + "1", newer},
        {"ours newer", "__session=" + ours + "; " + own + newer + "; __client_uat=1; " + uat + "1", newer},
        {"plain one newer but signed out", "__session=" + newer + "; " + own + ours + "; __client_uat=0; " + uat + "1",
            ours},
        {"ours signed out, plain one not", "__session=" + ours + "; " + own + newer + "; __client_uat=1; " + uat + "0",
            ours},
        {"both signed out", "__session=" + ours + "; " + own + newer + "; __client_uat=0; " + uat + "0", newer},
        {"ours without its client cookie", "__session=" + ours + "; " + own + newer, ours},
        {"ours alone without its client cookie", own + ours, ours},
        {"signed out of ours, and no other", own + ours + "; " + uat + "0", ""},
        {"our client cookie without a session", uat + "1", ""},
        {"the suffix of another instance", "__session_vWCgMp3A=" + ours + "; __client_uat_vWCgMp3A=1", ""},
        {"none", "a=b", ""},
    };
    for (auto const& row : rows) {
        CAPTURE(row.name);
        auto const got = choose_cookie({row.cookies});
        CHECK(got.text == row.expected);
        CHECK(got.origin == (row.expected.empty() ? token_origin::none : token_origin::cookie));
    }
}

TEST_CASE("B19 [I5]: the header takes precedence over any cookie")
{
    auto const cookies = "__session=" + issued_at(now) + "; __session_naoXFJnI=" + issued_at(now);
    auto const got = choose_token(values{"Bearer mine"}, values{cookies}, suffix, token_issuer);
    CHECK(got.origin == token_origin::header);
    CHECK(got.text == "mine");
}

TEST_CASE("B16 [I6]: hostile cookies are read in bounded time and do not decide the choice")
{
    auto const deep = "e30." + tests::encode_base64url(std::string(6000, '[')) + ".AAAA";
    auto const huge = "e30." + std::string(1'000'000, 'A') + ".AAAA";
    for (auto const& text : {deep, huge, std::string{".."}, std::string{"..."}, std::string{"a.!.c"}}) {
        auto const cookies = "__session=" + text + "; __session_naoXFJnI=a.b.c; __client_uat_naoXFJnI=1";
        CHECK(choose_cookie({cookies}).text == text); // without a name: chosen as Clerk does, rejected later
    }
}

}
