#include "common/postgres/probe.hpp"

#include "common/postgres/connect_fault.hpp"

#include <libpq-fe.h>

#include <memory>
#include <string_view>
#include <unistd.h>

namespace clerk_strapi::postgres
{
namespace
{

struct finish
{
    void operator()(PGconn* connection) const { PQfinish(connection); }
};
using connection = std::unique_ptr<PGconn, finish>;

std::string text_of(char const* text) { return text == nullptr ? "" : text; }

// The value that libpq used, with its defaults and the PG* variables.
std::string setting_of(PGconn* link, std::string_view keyword)
{
    std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> const options{PQconninfo(link), &PQconninfoFree};
    if (!options) return {};
    for (auto const* option = options.get(); option->keyword != nullptr; ++option) {
        if (option->keyword == keyword) return text_of(option->val);
    }
    return {};
}

std::string verification(PGconn* link)
{
    auto const mode = setting_of(link, "sslmode");
    if (mode == "verify-full") return "certificate and host name verified";
    // With a file of CA certificates, libpq verifies the certificate in the mode `require` too.
    auto const ca = setting_of(link, "sslrootcert");
    if (mode == "verify-ca" || (mode == "require" && !ca.empty() && ::access(ca.c_str(), R_OK) == 0))
        return "certificate verified, host name not verified";
    return "certificate not verified";
}

std::string protection_of(PGconn* link)
{
    if (PQsslInUse(link) != 0) return text_of(PQsslAttribute(link, "protocol")) + ", " + verification(link);
    return text_of(PQhost(link)).starts_with('/') ? "local socket, no TLS" : "no TLS";
}

}

probe_result probe(conninfo const& target)
{
    connection const link{PQconnectdb(target.text().c_str())};
    if (!link) return {"out of memory", "", ""};
    if (PQstatus(link.get()) != CONNECTION_OK) return {connect_fault(text_of(PQerrorMessage(link.get()))), "", ""};
    return {"", "PostgreSQL " + text_of(PQparameterStatus(link.get(), "server_version")), protection_of(link.get())};
}

}
