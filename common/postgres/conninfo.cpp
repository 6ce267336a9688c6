#include "common/postgres/conninfo.hpp"

#include <libpq-fe.h>

#include <memory>

namespace clerk_strapi::postgres
{

namespace
{

std::string quoted(std::string const& value)
{
    std::string out = "'";
    for (auto const c : value) {
        if (c == '\'' || c == '\\') out += '\\';
        out += c;
    }
    return out + "'";
}

}

std::optional<conninfo_settings> parse_conninfo(std::string const& url)
{
    char* message = nullptr;
    std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> const options{
        PQconninfoParse(url.c_str(), &message), &PQconninfoFree};
    PQfreemem(message);
    if (!options) return std::nullopt;
    conninfo_settings settings;
    for (auto const* option = options.get(); option->keyword != nullptr; ++option) {
        if (option->val != nullptr) settings[option->keyword] = option->val;
    }
    return settings;
}

conninfo_settings to_settings(database_parts const& parts)
{
    conninfo_settings settings{{"host", parts.host}, {"dbname", parts.name}, {"user", parts.username}};
    if (!parts.port.empty()) settings["port"] = parts.port;
    if (!parts.password.empty()) settings["password"] = parts.password;
    return settings;
}

std::string make_conninfo(conninfo_settings settings, std::string const& program)
{
    conninfo_settings const defaults{
        {"application_name", program},
        {"client_encoding", "UTF8"},
        {"connect_timeout", "5"},
        {"keepalives", "1"},
        {"keepalives_idle", "5"},
        {"keepalives_interval", "5"},
        {"keepalives_count", "3"},
        {"tcp_user_timeout", "15000"},
    };
    settings.insert(defaults.begin(), defaults.end());
    std::string out;
    for (auto const& [key, value] : settings)
        out += (out.empty() ? "" : " ") + key + "=" + quoted(value);
    return out;
}

}
