#include "ingest/async/bounded_cache.hpp"

#include <doctest/doctest.h>

namespace clerk_strapi::ingest
{

TEST_CASE("[I6] cache: at its bound it evicts the least recently used entry")
{
    bounded_cache<int> cache{2};
    cache.put("a", 1);
    cache.put("b", 2);
    REQUIRE(cache.find("a") != nullptr); // so "b" is the least recently used
    cache.put("c", 3);
    CHECK(cache.size() == 2);
    CHECK(cache.find("b") == nullptr);
    CHECK(*cache.find("a") == 1);
    CHECK(*cache.find("c") == 3);
}

TEST_CASE("cache: put replaces, erase removes, clear empties")
{
    bounded_cache<int> cache{2};
    cache.put("a", 1);
    cache.put("b", 2);
    cache.put("a", 3); // no third entry
    CHECK(*cache.find("a") == 3);
    CHECK(*cache.find("b") == 2);
    cache.erase("a");
    cache.erase("unknown");
    CHECK(cache.find("a") == nullptr);
    CHECK(cache.size() == 1);
    cache.clear();
    CHECK(cache.size() == 0);
    cache.put("b", 4);
    CHECK(*cache.find("b") == 4);
}

}
