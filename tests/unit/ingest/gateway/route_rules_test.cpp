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
        {"HEAD", "/api/users", signed_in}, // Strapi answers it as GET
        {"GET", "/api/users?populate=role&filters[id]=1", signed_in},
        {"POST", "/api/users", anybody}, // makes a user: Strapi's own permission
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
        {"GET", "/", anybody},
        {"GET", "/api", anybody},
        {"GET", "/api/articles/1", anybody},
        {"GET", "/api/users-permissions/roles", anybody},
        {"GET", "/api/usersx", anybody},
        {"GET", "/api/user", anybody},
        {"GET", "/admin/users/1", anybody},
        {"GET", "/users/1", anybody},
        {"GET", "/x/api/users/1", anybody},
        {"GET", "/uploads/caf%C3%A9%20menu.pdf", anybody},
    });
}

TEST_CASE("route rules: a browser's preflight is accepted on every path")
{
    check({
        {"OPTIONS", "/api/users/7", nothing}, {"OPTIONS", "*", nothing}, {"OPTIONS", "/api/%2e%2e", nothing},
        {"options", "/api/users/7", owner, "7"}, // methods have a case
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
        {"GET", "//evil.example/api/users/7", anybody}, // a path like any other: nobody reads a host here
        {"GET", "/api/%75sers", signed_in},
        {"GET", "/%61%50i/%55SERS/%6De", signed_in},
        {"GET", "/api/users/%37", owner, "7"},
        {"GET", "http://strapi.example/api/users/7", owner, "7"},
        {"GET", "HTTPS://strapi.example:443/api/users?x=1", signed_in},
        {"GET", "http://[::1]:1337/api/users/me", signed_in},
        {"GET", "http://strapi.example", anybody},
        {"GET", "http://strapi.example?x=/api/users", anybody},
    });
}

TEST_CASE("C4 [I5]: ambiguous paths are rejected, wherever the ambiguity is")
{
    check({
        {"GET", "", refused},
        {"GET", "*", refused},
        {"GET", "api/users", refused},
        {"GET", "?x=1", refused},
        {"GET", "/api%2fusers", refused},
        {"GET", "/api%2Fusers", refused},
        {"GET", "/api%5cusers", refused},
        {"GET", "/api\\users", refused},
        {"GET", "/api/users%00", refused},
        {"GET", std::string_view{"/api/users\0", 11}, refused},
        {"GET", "/api/users%0a", refused},
        {"GET", "/api/users%7f", refused},
        {"GET", "/api/users\t", refused},
        {"GET", "/api/users\r\n", refused},
        {"GET", "/api/users\x7f", refused},
        {"GET", "/api/users /7", refused},
        {"GET", "/api/%2575sers", refused},
        {"GET", "/api/users/%2537", refused},
        {"GET", "/api/./users", refused},
        {"GET", "/api/articles/../users", refused},
        {"GET", "/api/articles/%2e%2e/users", refused},
        {"GET", "/api/articles/.%2E/users", refused},
        {"GET", "/api/%2e/users", refused},
        {"GET", "/..", refused},
        {"GET", "/api/users/.", refused},
        {"GET", "/api/users;a=b", refused},
        {"GET", "/api;a=b/users", refused},
        {"GET", "/api/articles/..;/users", refused},
        {"GET", "/api/users%3ba", refused},
        {"GET", "/api/users%3fx", refused},
        {"GET", "/api/users#x", refused},
        {"GET", "/api/users%23x", refused},
        {"GET", "/api/users/\xc2\xb9", refused},
        {"GET", "/api/users/\xff", refused},
        {"GET", "/api/users%", refused},
        {"GET", "/api/users%7", refused},
        {"GET", "/api/users/%zz", refused},
        {"GET", "/api/users/%u0037", refused},
        {"GET", "/api/users/%+7", refused},
        {"GET", "ftp://strapi.example/api/users", refused},
        {"GET", "javascript:/api/users", refused},
        {"GET", "http:///api/users", refused},
        {"GET", "http://user@strapi.example/api/users", refused},
        {"GET", "http://strapi.example\\/api/users", refused},
        {"GET", "strapi.example:443", refused},
    });
}

TEST_CASE("[I5] an owner's id is compared as text: only the same digits match")
{
    // Strapi's ids are plain numbers; none of these is the text of one, though a lax reader makes 7 of them.
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
        {"GET", "/api/users/%EF%BC%97", owner, "\xef\xbc\x97"}, // and a wide one
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
