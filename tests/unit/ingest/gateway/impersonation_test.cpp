#include "ingest/gateway/impersonation.hpp"
#include "tests/support/ingest/signed_webhook.hpp"

#include <doctest/doctest.h>

namespace clerk_strapi::ingest
{
namespace
{

impersonation_rule rule_of(std::vector<std::string> const& entries)
{
    return tests::must(impersonation_rule::from_entries(entries));
}

}

TEST_CASE("B14: by default no path is closed to impersonation")
{
    CHECK_FALSE(impersonation_rule{}.closes("/api/orders"));
    CHECK_FALSE(impersonation_rule{}.closes("/api/../orders"));
    CHECK_FALSE(rule_of({}).closes("/"));
}

TEST_CASE("B14: * closes every path, and so does /")
{
    for (std::string const all : {"*", "/"}) {
        for (std::string const uri : {"/", "", "/api/users/7", "http://h/x?y", "/a/../b"}) {
            CAPTURE(all);
            CAPTURE(uri);
            CHECK(rule_of({all}).closes(uri));
        }
    }
}

TEST_CASE("B14: a path closes itself and the paths below it, in every spelling, and no other")
{
    auto const rule = rule_of({"/api/orders", "//API/m%65/"});
    for (std::string const uri : {"/api/orders", "/api/orders/", "/api/orders/7?a=b", "/Api//ORDERS", "/api/%6frders",
             "http://h/api/orders", "/api/me", "/api/me/x", "/api/orders%2f7", "/api/x/../orders", "/api/orders;x"}) {
        CAPTURE(uri);
        CHECK(rule.closes(uri));
    }
    for (std::string const uri :
        {"/", "/api", "/api/orders2", "/api/order", "/orders", "/x/api/orders", "/api/meet", "/x?/api/orders"}) {
        CAPTURE(uri);
        CHECK_FALSE(rule.closes(uri));
    }
}

TEST_CASE("B14: an entry that would close less than it seems is an error that names it")
{
    for (std::string const entry :
        {"api/orders", "https://h/api/orders", "/api/*", "**", "/api/orders?x", "/api/a/../b", "/api/./b", "/api/a%2fb",
            "/api/a%252f", "/api/a;b", "/api/a#b", "/api/a b", "/api/\xc3\xa9", "/api/%zz", "/api/\\x"}) {
        CAPTURE(entry);
        auto const read = impersonation_rule::from_entries({"/api/good", entry});
        REQUIRE_FALSE(read.has_value());
        CHECK(read.error().starts_with("must list "));
        CHECK(read.error().find('"' + entry + '"') != std::string::npos);
    }
    CHECK(impersonation_rule::from_entries({"*", "/api"}).error().starts_with("must be * alone"));
}

}
