#include "ingest/gateway/route_rules.hpp"

#include <doctest/doctest.h>

#include <ostream>
#include <vector>

namespace clerk_strapi::ingest
{
namespace
{

using enum route_need;

struct route_row
{
    std::string_view method, uri;
    route_need need;
    std::string_view owner_id{};
};

void check(std::vector<route_row> const& rows)
{
    for (auto const& row : rows) {
        CAPTURE(row.method);
        CAPTURE(row.uri);
        auto const got = decide_route(row.method, row.uri);
        CHECK(static_cast<int>(got.need) == static_cast<int>(row.need));
        CHECK(got.owner_id == row.owner_id);
    }
}

}

TEST_CASE("[I5] the five routes of Strapi's users need a token; other routes do not")
{
    check({
        {"GET", "/api/users", signed_in},
        {"HEAD", "/api/users", signed_in}, // Strapi treats HEAD as GET
        {"GET", "/api/users?populate=role&filters[id]=1", signed_in},
        {"POST", "/api/users", optional_token}, // creates a user: left to Strapi's permissions
        {"GET", "/api/users/me", signed_in},
        {"HEAD", "/api/users/me", signed_in},
        {"PUT", "/api/users/me", signed_in},
        {"GET", "/api/users/me?populate=*", signed_in},
        {"GET", "/api/users/count", signed_in},
        {"GET", "/api/users/7", owner, "7"},
        {"PUT", "/api/users/7", owner, "7"},
        {"DELETE", "/api/users/7", owner, "7"},
        {"HEAD", "/api/users/7", owner, "7"},
        {"PATCH", "/api/users/7", owner, "7"},
        {"get", "/api/users/7", owner, "7"},
        {"", "/api/users/7", owner, "7"},
        {"GET", "/api/users/7?x=/../8", owner, "7"},
        {"GET", "/", optional_token},
        {"GET", "/api", optional_token},
        {"GET", "/api/articles/1", optional_token},
        {"GET", "/api/users-permissions/roles", optional_token},
        {"GET", "/api/usersx", optional_token},
        {"GET", "/api/user", optional_token},
        {"GET", "/admin/users/1", optional_token},
        {"GET", "/users/1", optional_token},
        {"GET", "/x/api/users/1", optional_token},
        {"GET", "/uploads/caf%C3%A9%20menu.pdf", optional_token},
    });
}

TEST_CASE("route rules: a browser's preflight is accepted on every path")
{
    check({
        {"OPTIONS", "/api/users/7", nothing}, {"OPTIONS", "*", nothing}, {"OPTIONS", "/api/%2e%2e", nothing},
        {"options", "/api/users/7", owner, "7"}, // methods are case-sensitive
    });
}

TEST_CASE("C4 [I5]: spellings of one path need the same")
{
    check({
        {"GET", "/API/Users/Me", signed_in},
        {"GET", "/api/users/", signed_in},
        {"GET", "/api/users/me/", signed_in},
        {"GET", "/api/users/7/", owner, "7"},
        {"GET", "//api///users//7//", owner, "7"},
        {"GET", "//evil.example/api/users/7", optional_token}, // an ordinary path: no program reads a host here
        {"GET", "/api/%75sers", signed_in},
        {"GET", "/%61%50i/%55SERS/%6De", signed_in},
        {"GET", "/api/users/%37", owner, "7"},
        {"GET", "http://strapi.example/api/users/7", owner, "7"},
        {"GET", "HTTPS://strapi.example:443/api/users?x=1", signed_in},
        {"GET", "http://[::1]:1337/api/users/me", signed_in},
        {"GET", "http://strapi.example", optional_token},
        {"GET", "http://strapi.example?x=/api/users", optional_token},
    });
}

TEST_CASE("C4 [I5]: ambiguous paths are rejected, wherever the ambiguity is")
{
    check({
        {"GET", "", rejected},
        {"GET", "*", rejected},
        {"GET", "api/users", rejected},
        {"GET", "?x=1", rejected},
        {"GET", "/api%2fusers", rejected},
        {"GET", "/api%2Fusers", rejected},
        {"GET", "/api%5cusers", rejected},
        {"GET", "/api\\users", rejected},
        {"GET", "/api/users%00", rejected},
        {"GET", std::string_view{"/api/users\0", 11}, rejected},
        {"GET", "/api/users%0a", rejected},
        {"GET", "/api/users%7f", rejected},
        {"GET", "/api/users\t", rejected},
        {"GET", "/api/users\r\n", rejected},
        {"GET", "/api/users\x7f", rejected},
        {"GET", "/api/users /7", rejected},
        {"GET", "/api/%2575sers", rejected},
        {"GET", "/api/users/%2537", rejected},
        {"GET", "/api/./users", rejected},
        {"GET", "/api/articles/../users", rejected},
        {"GET", "/api/articles/%2e%2e/users", rejected},
        {"GET", "/api/articles/.%2E/users", rejected},
        {"GET", "/api/%2e/users", rejected},
        {"GET", "/..", rejected},
        {"GET", "/api/users/.", rejected},
        {"GET", "/api/users;a=b", rejected},
        {"GET", "/api;a=b/users", rejected},
        {"GET", "/api/articles/..;/users", rejected},
        {"GET", "/api/users%3ba", rejected},
        {"GET", "/api/users%3fx", rejected},
        {"GET", "/api/users#x", rejected},
        {"GET", "/api/users%23x", rejected},
        {"GET", "/api/users/\xc2\xb9", rejected},
        {"GET", "/api/users/\xff", rejected},
        {"GET", "/api/users%", rejected},
        {"GET", "/api/users%7", rejected},
        {"GET", "/api/users/%zz", rejected},
        {"GET", "/api/users/%u0037", rejected},
        {"GET", "/api/users/%+7", rejected},
        {"GET", "ftp://strapi.example/api/users", rejected},
        {"GET", "javascript:/api/users", rejected},
        {"GET", "http:///api/users", rejected},
        {"GET", "http://user@strapi.example/api/users", rejected},
        {"GET", "http://strapi.example\\/api/users", rejected},
        {"GET", "strapi.example:443", rejected},
    });
}

TEST_CASE("[I5] an owner's id is compared as text: only the same digits match")
{
    // Strapi's ids are plain numbers. None of these texts equals one, although a lax parser reads 7.
    check({
        {"GET", "/api/users/07", owner, "07"},
        {"GET", "/api/users/+7", owner, "+7"},
        {"GET", "/api/users/7%20", owner, "7 "},
        {"GET", "/api/users/%207", owner, " 7"},
        {"GET", "/api/users/7.0", owner, "7.0"},
        {"GET", "/api/users/0x7", owner, "0x7"},
        {"GET", "/api/users/7E0", owner, "7e0"},
        {"GET", "/api/users/-7", owner, "-7"},
        {"GET", "/api/users/7,8", owner, "7,8"},
        {"GET", "/api/users/%D9%A7", owner, "\xd9\xa7"}, // a digit seven of another script
        {"GET", "/api/users/%EF%BC%97", owner, "\xef\xbc\x97"}, // a full-width digit seven
        {"GET", "/api/users/me%20", owner, "me "},
        {"GET", "/api/users/counts", owner, "counts"},
    });
}

TEST_CASE("[I5] a path below a user needs that user's token")
{
    check({
        {"GET", "/api/users/7/orders", owner, "7"},
        {"POST", "/api/users/7/orders/3", owner, "7"},
        {"GET", "/api/users/7/me", owner, "7"},
        {"GET", "/api/users/me/orders", signed_in},
        {"GET", "/api/users/count/x", signed_in},
    });
}

}
