#pragma once

// Builds a libpq connection string from the operator's database settings, with the time limits that a service needs.

#include "common/process/memory_file.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace clerk_strapi::postgres
{

// A libpq connection string and the files in memory that it names. Keep it as long as the connection, because libpq
// opens the files whenever it connects.
class conninfo
{
public:
    using files = std::vector<std::shared_ptr<memory_file const>>;

    conninfo() = default;
    conninfo(std::string text, files named = {}) // NOLINT: a plain string names no files
        : text_{std::move(text)}
        , files_{std::move(named)}
    {
    }

    [[nodiscard]] std::string const& text() const { return text_; }

private:
    std::string text_;
    files files_;
};

// Strapi's own variables, for sites without DATABASE_URL.
struct database_parts
{
    std::string host;
    std::string port;
    std::string name;
    std::string username;
    std::string password;
};

using conninfo_settings = std::map<std::string, std::string>; // libpq's keywords and their values

// `url` is a postgres:// URL or a libpq key=value string.
// nullopt: libpq cannot read the string. Its own message is not returned, because it would repeat the password.
[[nodiscard]] std::optional<conninfo_settings> parse_conninfo(std::string const& url);
[[nodiscard]] conninfo_settings to_settings(database_parts const& parts);

// Adds what the settings do not have: 5 s to connect, TCP keep-alives, 15 s for unacknowledged data (so that a
// half-open connection is noticed), and the program's name.
[[nodiscard]] std::string make_conninfo(conninfo_settings settings, std::string const& program);

}
