#pragma once

// From the operator's database settings to a libpq connection string with the bounds a service needs.

#include <optional>
#include <string>

namespace clerk_strapi::postgres
{

// Strapi's own variables, for sites that have no DATABASE_URL.
struct database_parts
{
    std::string host;
    std::string port;
    std::string name;
    std::string username;
    std::string password;
    bool ssl{false};
};

// `url` is a postgres:// URL or a libpq key=value string. What it does not set gets: 5 s to connect, TCP
// keep-alives and a 15 s limit on unacknowledged data (a half-open connection is noticed), our name.
// nullopt: libpq cannot read the string. (Its own message would repeat the value, and with it the password.)
[[nodiscard]] std::optional<std::string> make_conninfo(std::string const& url, std::string const& program);
[[nodiscard]] std::optional<std::string> make_conninfo(database_parts const& parts, std::string const& program);

}
