#pragma once

// Changes and checks in Strapi's tables for the tests of the store.

#include "tests/support/events.hpp"
#include "tests/support/site_database.hpp"

#include <doctest/doctest.h>

#include <set>
#include <string>

namespace clerk_strapi::tests
{

inline worker::event_outcome apply_one(worker::strapi_store& store, user_event const& event)
{
    auto const result = store.apply({event}, {});
    CAPTURE(result.detail);
    REQUIRE(result.status == worker::apply_status::applied);
    return result.outcomes.at(0);
}

// The decisions about e-mails and usernames, as "<kind> <decision>, ...", in alphabetical order.
inline std::string decisions_of(worker::apply_result const& result)
{
    std::multiset<std::string> texts;
    for (auto const& one : result.conflicts)
        texts.insert(std::string{to_string(one.field)} + " " + std::string{to_string(one.decision)});
    std::string all;
    for (auto const& text : texts)
        all += (all.empty() ? "" : ", ") + text;
    return all;
}

inline void make_seed_row(site_database& site, std::string const& id)
{
    site.execute(
        "insert into up_users (document_id, username, email, confirmed, blocked, created_at, updated_at, published_at, "
        "clerk_id, full_name) values (substr(md5('"
        + id + "'), 1, 24), '" + id + "', 'seed-" + id
        + "@Example.com', true, false, '2024-01-01', '2024-01-01', '2024-01-01', '" + id + "', 'Seed Name')");
    site.execute(
        "insert into up_users_role_lnk (user_id, role_id, user_ord) select id, 1, 1 from up_users where clerk_id = '"
        + id + "'");
}

inline std::string of_user(std::string const& column, std::string const& id)
{
    return "select " + column + " from up_users where clerk_id = '" + id + "'";
}

// What must always hold: each user has one role link and one profile per type, and no other such rows exist.
inline void check_one_of_each(site_database& site)
{
    CHECK(site.count("select count(*) - count(distinct clerk_id) from up_users where clerk_id is not null") == 0);
    CHECK(site.count("select count(*) from up_users u where (select count(*) from up_users_role_lnk l where l.user_id "
                     "= u.id) <> 1")
        == 0);
    for (std::string const type : {"user_profile", "member_profile"}) {
        CAPTURE(type);
        CHECK(site.count("select count(*) from up_users u where clerk_id is not null and (select count(*) from " + type
                  + "s_user_lnk l where l.user_id = u.id) <> 1")
            == 0);
        CHECK(site.count("select count(*) from " + type + "s p where not exists (select 1 from " + type
                  + "s_user_lnk l where l." + type + "_id = p.id)")
            == 0);
    }
}

}
