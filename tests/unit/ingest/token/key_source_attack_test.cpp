// Which requests forged tokens cause to Clerk and to other servers: handle_auth_verify on the real key source and an
// HTTP stand-in that counts requests.

#include "ingest/token/key_source.hpp"
#include "tests/support/http_stand_in.hpp"
#include "tests/support/ingest/auth_fixture.hpp"
#include "tests/support/ingest/raw_client.hpp"
#include "tests/support/ingest/running_io.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <doctest/doctest.h>

#include <atomic>

namespace clerk_strapi::tests
{
namespace
{

using namespace std::chrono_literals;
using ingest::auth_rejection;
using ingest::token_reason;

struct attacked
{
    explicit attacked(std::chrono::milliseconds cool_down = 30s)
        : source{io.context, settings(cool_down)}
    {
        policy.issuer = std::string{token_issuer};
        users.has("user_2abc", row_of(7));
        io.on_thread([this] { source.start(); });
        REQUIRE_FALSE(verify(mint(time.wall_seconds)).rejection);
        REQUIRE(clerk.requests() == 1);
    }

    ingest::key_source_settings settings(std::chrono::milliseconds cool_down)
    {
        ingest::key_source_settings chosen;
        chosen.endpoint = ingest::backend_keys(clerk.url(), [] { return secret{"sk_test_1"}; });
        chosen.times.cool_down = cool_down;
        return chosen;
    }

    // Owns the token during the verification.
    boost::asio::awaitable<ingest::auth_decision> verify_and_keep(std::string token)
    {
        ingest::auth_request const request{{ingest::token_origin::header, token, false}, std::nullopt, {}};
        co_return co_await story(request);
    }
    boost::asio::awaitable<void> count_answer(std::string token)
    {
        auto const decision = co_await verify_and_keep(std::move(token));
        ++(decision.reason == token_reason::kid_mismatch ? invalid_count : other_count);
        if (!decision.rejection) ++accepted_count;
    }
    ingest::auth_decision verify(std::string token) { return io.spawn(verify_and_keep(std::move(token))).get(); }

    std::string strangers(json_members const& header)
    {
        return mint(token_claims(time.wall_seconds), header, minting_key::strangers());
    }
    // With an invented signature: an unknown kid has no key to verify it.
    std::string of_kid(std::string const& kid)
    {
        return encode_base64url(token_header().set("kid", "\"" + kid + "\"").text()) + "."
            + encode_base64url(token_claims(time.wall_seconds).text()) + "." + encode_base64url(std::string(256, 's'));
    }
    // Verifies `count` tokens at once, each with another kid; invalid_count counts the 401s.
    void flood(int count, std::string const& name)
    {
        io.on_thread([&] {
            for (int i = 0; i < count; ++i) {
                boost::asio::co_spawn(
                    io.context, count_answer(of_kid("ins_" + name + std::to_string(i))), boost::asio::detached);
            }
        });
    }

    http_stand_in clerk{{manner::kind::answer, 200, minting_key::ours().jwks()}};
    fake_time time;
    fake_event_publisher log;
    fake_user_directory users{time};
    ingest::token_policy policy;
    running_io io;
    ingest::signing_key_source source;
    ingest::provision_user provision{
        log, users, nullptr, {}, {[this] { return time.wall(); }, [this] { return time.steady; }}};
    ingest::handle_auth_verify story{source, users, provision, {.issuer = std::string{token_issuer}},
        {[this] { return time.wall(); }, [] { return std::uint64_t{7}; }}};
    std::atomic<int> invalid_count{0}, other_count{0}, accepted_count{0};
    stop_first stop{io};
};

}

TEST_CASE("B2 [I5]: a key that a token refers to is never fetched or used")
{
    attacked it;
    http_stand_in attacker{{manner::kind::answer, 200, minting_key::strangers().jwks("ins_evil")}};
    std::pair<std::string, std::string> const rows[] = {
        {"jku", "\"" + attacker.url() + "/jwks.json\""},
        {"x5u", "\"" + attacker.url() + "/certificate.pem\""},
        {"jwk", minting_key::strangers().jwk()},
        {"x5c", R"(["MIIB"])"},
    };
    for (auto const& [name, value] : rows) {
        CAPTURE(name);
        auto const header = token_header().set(name, value);
        CHECK(it.verify(it.strangers(header)).reason == token_reason::invalid_signature);
        CHECK(it.clerk.requests() == 1);
    }
    for (auto const& [name, value] : rows) {
        CAPTURE(name);
        auto const header = token_header().set(name, value).set("kid", R"("ins_evil")");
        CHECK(it.verify(it.strangers(header)).reason == token_reason::kid_mismatch);
    }
    CHECK(it.clerk.requests() == 2); // one more fetch of our own key set, for the unknown kid
    CHECK(it.clerk.last_request().starts_with("GET /v1/jwks "));
    CHECK(attacker.connections() == 0);
}

TEST_CASE("B4 [I5]: an unknown kid is 401, and only a possible kid causes a fetch, once")
{
    attacked it;
    auto const reason_for = [&](std::string const& kid) { return it.verify(it.of_kid(kid)).reason; };
    for (std::string const kid : {"../../etc/passwd", "/etc/passwd", "file:///etc/passwd", "' or 1=1 --", "ins_2abc'--",
             "", "ins_2abc ", "INS_2ABC%00", "https://attacker.example/"}) {
        CAPTURE(kid);
        CHECK(reason_for(kid) == token_reason::kid_mismatch);
    }
    CHECK(reason_for(std::string(129, 'k')) == token_reason::kid_mismatch);
    CHECK(reason_for(std::string(1024 * 1024, 'k')) == token_reason::too_large);
    CHECK(it.verify(it.strangers(token_header().drop("kid"))).reason == token_reason::kid_mismatch);
    CHECK(it.clerk.requests() == 1);
    CHECK(reason_for("ins_unknown") == token_reason::kid_mismatch);
    CHECK(it.clerk.requests() == 2);
    CHECK(reason_for("ins_unknown") == token_reason::kid_mismatch);
    CHECK(reason_for("ins_another") == token_reason::kid_mismatch);
    CHECK(it.clerk.requests() == 2);
    CHECK(it.log.records().empty());
}

TEST_CASE("B5 [I6]: 10 000 tokens with unknown kids cause one fetch; valid tokens still work")
{
    attacked it;
    it.clerk.hang();
    it.flood(5'000, "first");
    REQUIRE(eventually(10s, [&] { return it.clerk.requests() == 2; }));
    for (int i = 0; i < 20; ++i) // new tokens, during the hanging fetch
        CHECK_FALSE(it.verify(mint(it.time.wall_seconds - i)).rejection);
    CHECK(it.invalid_count == 0);
    it.clerk.answer(200, minting_key::ours().jwks());
    CHECK(eventually(10s, [&] { return it.invalid_count + it.other_count == 5'000; }));
    CHECK(it.invalid_count > 0);

    int const waited = it.other_count; // above the bound: 503
    it.flood(5'000, "second");
    CHECK_FALSE(it.verify(mint(it.time.wall_seconds - 30)).rejection);
    CHECK(eventually(10s, [&] { return it.invalid_count + it.other_count == 10'000; }));
    CHECK(it.other_count == waited); // within the cool-down each is 401 at once
    CHECK(it.accepted_count == 0);
    CHECK(it.clerk.requests() == 2);
}

TEST_CASE("B5 [I6]: a lasting flood causes at most one fetch per cool-down")
{
    constexpr auto cool_down = 50ms;
    attacked it{cool_down};
    auto const started = std::chrono::steady_clock::now();
    int round = 0;
    REQUIRE(eventually(20s, [&] {
        it.flood(100, "round" + std::to_string(++round) + "x");
        REQUIRE_FALSE(it.verify(mint(it.time.wall_seconds)).rejection);
        return it.clerk.requests() >= 5;
    }));
    auto const fetches_of_the_flood = static_cast<int>(it.clerk.requests()) - 1;
    CHECK(cool_down * (fetches_of_the_flood - 1) <= std::chrono::steady_clock::now() - started);
    CHECK(eventually(10s, [&] { return it.invalid_count + it.other_count == round * 100; }));
    CHECK(it.accepted_count == 0);
}

}
