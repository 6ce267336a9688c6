#pragma once

// Users with desired e-mails and usernames, and the rows that Strapi must have for them.

#include "tests/support/strapi_checks.hpp"

#include <doctest/doctest.h>

#include <string>

namespace clerk_strapi::tests
{

inline user_event asking(
    std::string const& id, int version, std::string const& email, std::string const& username, bool verified = true)
{
    auto event = updated(id, version);
    event.desired.email = email;
    event.desired.email_verified = verified;
    event.desired.username = username;
    return event;
}

inline std::string all_values(site_database& site)
{
    return site
        .value("select string_agg(clerk_id || ' ' || email || ' ' || username, ', ' order by clerk_id) from up_users "
               "where clerk_id is not null")
        .value_or("none");
}

// Strapi's own rule: no other user has the value, as e-mail or as username.
inline void check_unique_values(site_database& site)
{
    CHECK(site.count("select count(*) from up_users a join up_users b on a.id <> b.id and (a.email in (b.email, "
                     "b.username) or a.username in (b.email, b.username))")
        == 0);
}

}
