#include "ingest/gateway/headers.hpp"
#include "tests/support/ingest/auth_fixture.hpp"

#include <doctest/doctest.h>

#include <utility>
#include <vector>

namespace clerk_strapi::ingest
{
namespace
{

using tests::row_of;

struct gateway_fixture : tests::auth_fixture
{
    std::string const mine = token();
    std::string const expired = tests::mint(time.wall_seconds - 100);
    std::string const api_token = std::string(256, 'f');
    std::string const strapi_jwt = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpZCI6MX0.c2ln";

    gateway_fixture() { users.has("user_2abc", row_of(7)); }

    std::string route_outcome(std::string_view method, std::string_view uri, std::string const& bearer)
    {
        auto const decision = pass(method, uri, bearer);
        if (decision.rejection) return std::string{to_string(*decision.rejection)};
        return decision.identity.user ? "identity" : "anonymous";
    }
};

}

TEST_CASE_FIXTURE(gateway_fixture, "gateway: the five user routes follow the table, other routes are accepted [I5]")
{
    struct
    {
        char const* method;
        char const* uri;
        std::string bearer;
        char const* expected;
    } const table[] = {
        {"GET", "/api/users", "", "not_authenticated"},
        {"GET", "/api/users?filters[email]=a", "", "not_authenticated"},
        {"GET", "/api/users", mine, "identity"},
        {"GET", "/api/users", api_token, "not_authenticated"},
        {"GET", "/api/users/me", "", "not_authenticated"},
        {"GET", "/api/users/me", mine, "identity"},
        {"GET", "/api/users/7", mine, "identity"},
        {"PUT", "/api/users/7", mine, "identity"},
        {"DELETE", "/api/users/7", mine, "identity"},
        {"GET", "/api/users/8", mine, "not_owner"},
        {"PUT", "/api/users/8?x=7", mine, "not_owner"},
        {"DELETE", "/api/users/07", mine, "not_owner"},
        {"GET", "/API/Users/8", mine, "not_owner"},
        {"GET", "//api///users/8/", mine, "not_owner"},
        {"GET", "/api/users/%37", mine, "identity"},
        {"GET", "/api/users/8", "", "not_authenticated"},
        {"GET", "/api/users/7", expired, "not_authenticated"},
        {"GET", "/api/users/..%2f8", mine, "odd_request"},
        {"GET", "/api/users/%2537", mine, "odd_request"},
        {"GET", "/api/x/../users/8", mine, "odd_request"},
        {"OPTIONS", "/api/users/8", "", "anonymous"},
        {"OPTIONS", "/api/users/8", expired, "anonymous"},
        {"GET", "/api/articles", "", "anonymous"},
        {"GET", "/api/articles", mine, "identity"},
        {"GET", "/api/articles", expired, "not_authenticated"},
        {"GET", "/api/articles", "a.b.c", "not_authenticated"},
        {"GET", "/api/articles", api_token, "anonymous"},
        {"GET", "/admin/users", strapi_jwt, "anonymous"},
        {"GET", "/api/articles", "mt_1234", "not_authenticated"},
    };
    for (auto const& row : table) {
        CAPTURE(row.method);
        CAPTURE(row.uri);
        CAPTURE(row.bearer.substr(0, 12));
        CHECK(route_outcome(row.method, row.uri, row.bearer) == row.expected);
    }
    CHECK(pass("GET", std::nullopt, mine).rejection == auth_rejection::odd_request);
}

TEST_CASE_FIXTURE(gateway_fixture, "B14 [I5]: closed paths reject tokens with an actor, other paths accept them")
{
    auto const actor = R"({"sub":"user_2admin","iss":"https://dashboard.clerk.com"})";
    auto const acted = tests::mint(tests::token_claims(time.wall_seconds).set("act", actor));
    auto const acted_expired = tests::mint(tests::token_claims(time.wall_seconds - 100).set("act", actor));
    impersonation = tests::must(impersonation_rule::from_entries({"/api/orders", "/api/Me/", "/api/users/7"}));
    struct
    {
        char const* method;
        char const* uri;
        std::string bearer;
        char const* expected;
    } const table[] = {
        {"GET", "/api/orders", acted, "impersonated"},
        {"POST", "/api/orders?x=/api/open", acted, "impersonated"},
        {"DELETE", "/api/orders/1/lines", acted, "impersonated"},
        {"GET", "/API//%6Frders/", acted, "impersonated"},
        {"GET", "https://api.example.com/api/orders", acted, "impersonated"},
        {"", "/api/orders", acted, "impersonated"},
        {"GET", "/api/me", acted, "impersonated"},
        {"GET", "/api/users/7", acted, "impersonated"},
        {"GET", "/api/orders-old", acted, "identity"},
        {"GET", "/api", acted, "identity"},
        {"GET", "/v2/api/orders", acted, "identity"},
        {"GET", "/api/users/me", acted, "identity"},
        {"GET", "/api/users/8", acted, "not_owner"},
        {"GET", "/api/orders/..", acted, "odd_request"},
        {"GET", "/api/orders", acted_expired, "not_authenticated"},
        {"GET", "/api/orders", mine, "identity"},
        {"GET", "/api/orders", "", "anonymous"},
        {"GET", "/api/orders", expired, "not_authenticated"},
        {"GET", "/api/orders", api_token, "anonymous"},
        {"OPTIONS", "/api/orders", acted, "anonymous"},
    };
    for (auto const& row : table) {
        CAPTURE(row.method);
        CAPTURE(row.uri);
        CHECK(route_outcome(row.method, row.uri, row.bearer) == row.expected);
    }
    CHECK(outcome_of(pass("GET", "/api/orders", acted)) == verify_outcome::forbidden);
    CHECK_FALSE(pass("GET", "/api/orders", acted).identity.user);
    users.has("user_2abc", row_of(7, true));
    CHECK(route_outcome("GET", "/api/orders", acted) == "blocked");
}

TEST_CASE("gateway: each dialect reads only the headers of its gateway")
{
    using list = std::vector<std::pair<std::string_view, std::string_view>>;
    struct
    {
        char const* name;
        gateway_dialect dialect;
        list headers;
        char const* method;
        std::optional<std::string_view> uri;
    } const table[] = {
        {"nginx", gateway_dialect::nginx, {{"x-original-method", "PUT"}, {"x-original-uri", "/api/users/1?a"}}, "PUT",
            "/api/users/1?a"},
        {"ingress-nginx", gateway_dialect::nginx,
            {{"x-original-method", "GET"}, {"x-original-url", "https://api.example.com/api/users/1"}}, "GET",
            "/api/users/1"},
        {"both and equal", gateway_dialect::nginx, {{"x-original-uri", "/a"}, {"x-original-url", "http://h/a"}}, "",
            "/a"},
        {"a client's own beside the gateway's", gateway_dialect::nginx,
            {{"x-original-uri", "/open"}, {"x-original-url", "http://h/api/users/1"}}, "", std::nullopt},
        {"twice", gateway_dialect::nginx, {{"x-original-uri", "/open"}, {"x-original-uri", "/api/users/1"}}, "",
            std::nullopt},
        {"method twice counts as none", gateway_dialect::nginx,
            {{"x-original-method", "OPTIONS"}, {"x-original-method", "GET"}, {"x-original-uri", "/a"}}, "", "/a"},
        {"another dialect's", gateway_dialect::nginx, {{"x-forwarded-uri", "/open"}}, "", std::nullopt},
        {"traefik", gateway_dialect::traefik, {{"x-forwarded-method", "DELETE"}, {"x-forwarded-uri", "/api/users/1"}},
            "DELETE", "/api/users/1"},
        {"traefik, another's", gateway_dialect::traefik, {{"x-original-uri", "/open"}}, "", std::nullopt},
        {"envoy", gateway_dialect::envoy, {{"x-original-uri", "/open"}, {"x-forwarded-uri", "/open"}}, "POST",
            "/api/users/1"},
    };
    for (auto const& row : table) {
        CAPTURE(row.name);
        original_request original{row.dialect, "POST", "/api/users/1"};
        for (auto const& [name, value] : row.headers)
            original.add(name, value);
        CHECK(original.method() == row.method);
        CHECK(original.uri() == row.uri);
    }
}

}
