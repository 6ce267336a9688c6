#include "common/postgres/conninfo.hpp"

#include <libpq-fe.h>

#include <map>
#include <memory>

namespace clerk_strapi::postgres
{

namespace
{

using settings = std::map<std::string, std::string>;

std::string quoted(std::string const& value)
{
    std::string out = "'";
    for (auto const c : value) {
        if (c == '\'' || c == '\\') out += '\\';
        out += c;
    }
    return out + "'";
}

std::string assemble(settings chosen, std::string const& program)
{
    settings const defaults{
        {"application_name", program},
        {"client_encoding", "UTF8"},
        {"connect_timeout", "5"},
        {"keepalives", "1"},
        {"keepalives_idle", "5"},
        {"keepalives_interval", "5"},
        {"keepalives_count", "3"},
        {"tcp_user_timeout", "15000"},
    };
    chosen.insert(defaults.begin(), defaults.end());
    std::string out;
    for (auto const& [key, value] : chosen)
        out += (out.empty() ? "" : " ") + key + "=" + quoted(value);
    return out;
}

}

std::optional<std::string> make_conninfo(std::string const& url, std::string const& program)
{
    char* message = nullptr;
    std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> const options{
        PQconninfoParse(url.c_str(), &message), &PQconninfoFree};
    PQfreemem(message);
    if (!options) return std::nullopt;
    settings chosen;
    for (auto const* option = options.get(); option->keyword != nullptr; ++option) {
        if (option->val != nullptr) chosen[option->keyword] = option->val;
    }
    return assemble(std::move(chosen), program);
}

std::optional<std::string> make_conninfo(database_parts const& parts, std::string const& program)
{
    settings chosen{{"host", parts.host}, {"dbname", parts.name}, {"user", parts.username}};
    if (!parts.port.empty()) chosen["port"] = parts.port;
    if (!parts.password.empty()) chosen["password"] = parts.password;
    if (parts.ssl) chosen["sslmode"] = "require";
    return assemble(std::move(chosen), program);
}

}
