#include "tests/support/ingest/auth_fixture.hpp"

#include <doctest/doctest.h>

namespace clerk_strapi::ingest
{
namespace
{

using tests::auth_fixture;
using tests::mint;
using tests::row_of;
using tests::token_claims;
using namespace std::chrono_literals;

struct verify_fixture : auth_fixture
{
    verify_fixture() { users.has("user_2abc", row_of(7)); }
};

}

TEST_CASE_FIXTURE(verify_fixture, "verify: a valid token returns the user's row [I5]")
{
    auto const decision = verify(token());
    REQUIRE_FALSE(decision.rejection);
    CHECK(decision.identity.claims->clerk_id == "user_2abc");
    CHECK(decision.identity.user->id == 7);
    CHECK(outcome_of(decision) == verify_outcome::allowed);
    CHECK(log.records().empty());
}

TEST_CASE_FIXTURE(verify_fixture, "verify: a rejected token has its reason, also when sent again [I5]")
{
    auto const now = time.wall_seconds;
    struct
    {
        char const* name;
        std::string token;
        token_reason reason;
        verify_outcome outcome;
    } const table[] = {
        {"not a token", "hello", token_reason::invalid, verify_outcome::invalid},
        {"B16 too large", std::string(token_bytes_max + 1, 'a'), token_reason::too_large, verify_outcome::invalid},
        {"of a stranger's key", mint(token_claims(now), tests::token_header(), tests::minting_key::strangers()),
            token_reason::invalid_signature, verify_outcome::invalid},
        {"B4 of a key that is not there", mint(token_claims(now), tests::token_header().set("kid", R"("ins_other")")),
            token_reason::kid_mismatch, verify_outcome::invalid},
        {"B8 expired six seconds ago", mint(now - 66), token_reason::expired, verify_outcome::expired},
        {"B9 of another instance", mint(token_claims(now).set("iss", R"("https://clerk.example.org")")),
            token_reason::invalid_issuer, verify_outcome::invalid},
        {"B13 pending", mint(token_claims(now).set("sts", R"("pending")")), token_reason::pending,
            verify_outcome::invalid},
    };
    for (auto const& row : table) {
        CAPTURE(row.name);
        for (int again = 0; again < 2; ++again) {
            auto const decision = verify(row.token);
            CHECK(decision.rejection == auth_rejection::not_authenticated);
            CHECK(decision.reason == row.reason);
            CHECK(outcome_of(decision) == row.outcome);
        }
    }
}

TEST_CASE_FIXTURE(
    verify_fixture, "verify: a cached token is rejected when it expires or its key is withdrawn or too old")
{
    auto const good = token();
    REQUIRE_FALSE(verify(good).rejection);
    SUBCASE("expires")
    {
        time.wall_seconds += 66;
        CHECK(verify(good).reason == token_reason::expired);
    }
    SUBCASE("its key goes [F22]")
    {
        keys.forget(std::string{tests::token_kid});
        CHECK(verify(good).reason == token_reason::kid_mismatch);
    }
    SUBCASE("the keys are too old [F21]")
    {
        keys.set_unavailable();
        auto const decision = verify(good);
        CHECK(decision.rejection == auth_rejection::keys_unavailable);
        CHECK(outcome_of(decision) == verify_outcome::unavailable);
        keys.set_unavailable(false);
        CHECK_FALSE(verify(good).rejection);
    }
}

TEST_CASE_FIXTURE(verify_fixture, "B18: a blocked or deleted user is forbidden despite a valid token [I3]")
{
    users.has("user_2abc", row_of(7, true));
    CHECK(verify(token()).rejection == auth_rejection::blocked);
    users.deleted("user_2abc");
    auto const decision = verify(token());
    CHECK(decision.rejection == auth_rejection::deleted);
    CHECK(outcome_of(decision) == verify_outcome::forbidden);
    CHECK(log.records().empty());
}

TEST_CASE_FIXTURE(verify_fixture, "verify: without the database a valid token is 503, an invalid one 401")
{
    users.set_unavailable();
    CHECK(verify(token()).rejection == auth_rejection::user_unavailable);
    CHECK(verify("hello").rejection == auth_rejection::not_authenticated);
    users.set_unavailable(false);
    CHECK_FALSE(verify(token()).rejection);
}

TEST_CASE_FIXTURE(verify_fixture, "B20: a cookie of another site's page is rejected; a header's origin is not checked")
{
    auto const good = token();
    auto const by = [&](token_origin way, std::optional<std::string_view> origin) {
        return verify(auth_request{{way, good, false}, origin, {}}).reason;
    };
    SUBCASE("no list: the origin must be the token's own")
    {
        CHECK(by(token_origin::cookie, "https://evil.example") == token_reason::invalid_authorized_parties);
        CHECK_FALSE(by(token_origin::cookie, tests::token_party));
        CHECK_FALSE(by(token_origin::cookie, std::nullopt));
        CHECK_FALSE(by(token_origin::header, "https://evil.example"));
    }
    SUBCASE("a list: it must be in it")
    {
        policy.authorized_parties = {std::string{tests::token_party}, "https://admin.example.com"};
        CHECK(by(token_origin::cookie, "https://evil.example") == token_reason::invalid_authorized_parties);
        CHECK_FALSE(by(token_origin::cookie, "https://admin.example.com"));
    }
}

TEST_CASE_FIXTURE(auth_fixture, "provisioning: publishes the token's claims and returns when the row exists")
{
    users.on_wait = [this] {
        if (log.records().size() == 1) users.has("user_2abc", row_of(7));
    };
    auto const claims =
        token_claims(time.wall_seconds).set("email", R"("Ada@Example.com")").set("first_name", R"("Ada")");
    auto const decision = verify(mint(claims));
    REQUIRE_FALSE(decision.rejection);
    CHECK(decision.identity.user->id == 7);
    REQUIRE(log.records().size() == 1);
    auto const& record = log.records()[0];
    CHECK(record.topic == topic_role::provisioning);
    CHECK(record.key == "user_2abc");
    CHECK(record.headers.at("ce_type") == "clerk.user.seen");
    CHECK(record.headers.at("ce_source") == "/clerk/ins_2abc");
    CHECK(record.headers.at("ce_subject") == "user_2abc");
    auto const read = scan_envelope(record.value);
    REQUIRE(read.has_value());
    CHECK(read->kind == event_kind::seen);
    CHECK(read->instance_id == "ins_2abc");
    CHECK(record.value.find(R"("email_address":"Ada@Example.com")") != std::string::npos);
    CHECK(record.value.find("verified") == std::string::npos);
}

TEST_CASE_FIXTURE(auth_fixture, "provisioning: with a secret key publishes the user as Clerk's API returns it")
{
    with_secret_key = true;
    std::string const user = R"({"id":"user_2abc","object":"user","updated_at":1716883200000})";
    clerk.has("user_2abc", user);
    users.on_wait = [this] { users.has("user_2abc", row_of(7)); };
    CHECK_FALSE(verify(token()).rejection);
    REQUIRE(log.records().size() == 1);
    auto const& record = log.records()[0];
    CHECK(record.headers.at("ce_type") == "clerk.user.snapshot");
    CHECK(record.value.find("\"data\":" + user + "}") != std::string::npos);
    CHECK(scan_envelope(record.value)->timestamp_ms == time.wall_seconds * 1000);
}

TEST_CASE_FIXTURE(auth_fixture, "provisioning: a user unknown to Clerk is 401, and nothing is published")
{
    with_secret_key = true;
    auto const decision = verify(token());
    CHECK(decision.rejection == auth_rejection::no_such_user);
    CHECK(outcome_of(decision) == verify_outcome::invalid);
    CHECK(log.records().empty());
    // The next request of the same user causes no further call of Clerk.
    CHECK(verify(token()).rejection == auth_rejection::no_such_user);
    CHECK(clerk.calls() == 1);
}

TEST_CASE_FIXTURE(auth_fixture, "provisioning: an outage is 503, and the next request tries again")
{
    SUBCASE("Clerk")
    {
        with_secret_key = true;
        clerk.set_unavailable();
        CHECK(verify(token()).rejection == auth_rejection::user_unavailable);
        clerk.set_unavailable(false);
        clerk.has("user_2abc", R"({"id":"user_2abc"})");
    }
    SUBCASE("brokers")
    {
        log.answer_with(publish_outcome::timed_out);
        CHECK(verify(token()).rejection == auth_rejection::user_unavailable);
        log.answer_with(publish_outcome::persisted);
    }
    CHECK(log.records().empty());
    users.on_wait = [this] { users.has("user_2abc", row_of(7)); };
    CHECK_FALSE(verify(token()).rejection);
    CHECK(log.records().size() == 1);
}

TEST_CASE_FIXTURE(auth_fixture, "provisioning: never publishes another user than requested")
{
    with_secret_key = true;
    clerk.has("user_2abc", R"({"id":"user_other"})");
    CHECK(verify(token()).rejection == auth_rejection::user_unavailable);
    CHECK(log.records().empty());
}

TEST_CASE_FIXTURE(auth_fixture, "provisioning: simultaneous requests of one user share one publication [I4]")
{
    with_secret_key = true;
    clerk.has("user_2abc", R"({"id":"user_2abc"})");
    users.on_wait = [this] {
        if (time.steady.time_since_epoch() > 300ms) users.has("user_2abc", row_of(7));
    };
    auto const good = token();
    std::vector<auth_request> const requests(50, {{token_origin::header, good, false}, std::nullopt, {}});
    for (auto const& decision : verify_together(requests)) {
        REQUIRE_FALSE(decision.rejection);
        CHECK(decision.identity.user->id == 7);
    }
    CHECK(log.records().size() == 1);
    CHECK(clerk.calls() == 1);
}

TEST_CASE_FIXTURE(auth_fixture, "provisioning: a late row is 503 pending; no second publication within 30 s")
{
    auto const decision = verify(token());
    CHECK(decision.rejection == auth_rejection::pending);
    CHECK(outcome_of(decision) == verify_outcome::pending);
    CHECK(verify(token()).rejection == auth_rejection::pending);
    CHECK(log.records().size() == 1);
    time.steady += 30s;
    CHECK(verify(token()).rejection == auth_rejection::pending);
    CHECK(log.records().size() == 2);
}

TEST_CASE_FIXTURE(auth_fixture, "provisioning: a row removed by hand is created again by the next request")
{
    users.on_wait = [this] { users.has("user_2abc", row_of(7)); };
    REQUIRE_FALSE(verify(token()).rejection);
    users.loses("user_2abc");
    REQUIRE_FALSE(verify(token()).rejection);
    CHECK(log.records().size() == 2);
}

TEST_CASE_FIXTURE(auth_fixture, "provisioning: a deletion meanwhile is 403, and the user is not created [I3]")
{
    users.on_wait = [this] { users.deleted("user_2abc"); };
    CHECK(verify(token()).rejection == auth_rejection::deleted);
}

TEST_CASE_FIXTURE(auth_fixture, "provisioning: requests above the bound are 503 at once [I6]")
{
    settings.waiters_max = 2;
    std::vector<std::string> tokens;
    for (auto const* const id : {"user_1", "user_2", "user_3"})
        tokens.push_back(token(id));
    std::vector<auth_request> requests;
    for (auto const& each : tokens)
        requests.push_back({{token_origin::header, each, false}, std::nullopt, {}});
    auto const decisions = verify_together(requests);
    CHECK(decisions[0].rejection == auth_rejection::pending);
    CHECK(decisions[1].rejection == auth_rejection::pending);
    CHECK(decisions[2].rejection == auth_rejection::overloaded);
    CHECK(log.records().size() == 2);
    CHECK(verify(tokens[2]).rejection == auth_rejection::pending); // finished requests are no longer counted
}

TEST_CASE_FIXTURE(auth_fixture, "provisioning: with CLERK_INSTANCE_IDS the event names one of them")
{
    settings.instance_ids = {"ins_mine"};
    static_cast<void>(verify(token()));
    REQUIRE(log.records().size() == 1);
    CHECK(scan_envelope(log.records()[0].value)->instance_id == "ins_mine");
}

}
