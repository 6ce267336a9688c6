// Pages of Clerk's API are split into users without changing a byte.

#include "worker/operate/user_page.hpp"

#include <doctest/doctest.h>

namespace clerk_strapi::worker
{

TEST_CASE("user page: split into users byte for byte, with any spaces, escapes and numbers")
{
    std::string const odd = R"({ "id" : "user_1", "updated_at":1750000000 ,"m":{"n":1e400,"t":"\u00e9\/]},{"}})";
    std::string const plain = R"({"updated_at":1750000000123,"id":"user_2"})";
    auto const body = " [\n" + odd + " ,\t" + plain + "]\n";
    auto const page = split_page(body);
    REQUIRE(page.has_value());
    REQUIRE(page->users.size() == 2);
    CHECK(page->users[0].raw == odd);
    CHECK(page->users[0].clerk_id == "user_1");
    CHECK(page->users[0].updated_at_ms == 1'750'000'000'000); // seconds, as some of Clerk's examples have it
    CHECK(page->users[1].raw == plain);
    CHECK(page->users[1].updated_at_ms == 1'750'000'000'123);
    CHECK(page->unusable == 0);
}

TEST_CASE("user page: counts elements that are not users, and an empty page has no users")
{
    CHECK(split_page("[]")->users.empty());
    auto const page = split_page(R"([{"id":"org_1"},7,{"id":"user_1"},{},{"id":null}])");
    REQUIRE(page.has_value());
    CHECK(page->users.size() == 1);
    CHECK(page->unusable == 4);
}

TEST_CASE("user page: rejects an incomplete page and any other JSON")
{
    for (auto const* const body : {"", "{}", "null", R"({"data":[{"id":"user_1"}]})", R"([{"id":"user_1"})",
             R"([{"id":"user_1"},])", R"([{"id":"user_1"}] x)", R"([{"id":"user_1","id":"user_2"}])", "[\"\xff\"]"}) {
        CAPTURE(body);
        CHECK(split_page(body).has_error());
    }
}

TEST_CASE("text and integer member: read from an object, and nothing from any other text")
{
    CHECK(text_member(R"({"object":"instance","id":"ins_1"})", "id") == "ins_1");
    CHECK(integer_member(R"({"object":"total_count","total_count":42})", "total_count") == 42);
    for (auto const* const body : {"", "[]", "{}", R"({"id":7})", R"({"id":"ins_1")", R"({"id":"ins_1"}})"}) {
        CAPTURE(body);
        CHECK_FALSE(text_member(body, "id"));
    }
}

}
