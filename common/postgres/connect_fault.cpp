#include "common/postgres/connect_fault.hpp"

#include <algorithm>

namespace clerk_strapi::postgres
{
namespace
{

struct cause
{
    std::string_view part; // of libpq's or the server's message
    std::string_view advice;
};

// libpq's message does not contain OpenSSL's reason: an unknown CA and an expired certificate look the same.
constexpr cause causes[] = {
    {"certificate verify failed",
        "the server's certificate has expired, or no CA in DATABASE_SSL_CA (unset: the system's) has signed it; "
        "`openssl s_client -starttls postgres -connect HOST:PORT` shows which"},
    {"does not match host name",
        "connect to a name that the server's certificate has (DATABASE_HOST or DATABASE_URL), or renew the "
        "certificate"},
    {"server does not support SSL", "switch TLS on at the server, or set DATABASE_SSL=false to connect in plain text"},
    {"root certificate file",
        "set DATABASE_SSL_CA_FILE, or write sslrootcert=/etc/ssl/certs/ca-certificates.crt into DATABASE_URL"},
    {"requires a valid client certificate", "set DATABASE_SSL_CERT_FILE and DATABASE_SSL_KEY_FILE"},
    {"certificate authentication failed",
        "DATABASE_SSL_CERT must be made for this database user: its common name is the user's name"},
    {"alert unknown ca", "the server does not accept DATABASE_SSL_CERT: have it signed by a CA that the server trusts"},
    {"alert certificate expired", "DATABASE_SSL_CERT has expired: renew it and DATABASE_SSL_KEY"},
    {"no encryption", "the server accepts TLS only: set DATABASE_SSL=true, and remove sslmode from DATABASE_URL"},
    {"invalid sslmode value", "write sslmode=verify-full into DATABASE_URL, or remove it and set DATABASE_SSL=true"},
};

cause const* find_cause(std::string_view text)
{
    auto const* const found = std::find_if(std::begin(causes), std::end(causes),
        [&](cause const& one) { return text.find(one.part) != std::string_view::npos; });
    return found == std::end(causes) ? nullptr : found;
}

std::string_view take_line(std::string_view& text)
{
    auto const end = std::min(text.find('\n'), text.size());
    auto const line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return line;
}

}

std::string_view connect_advice(std::string_view message)
{
    auto const* const found = find_cause(message);
    return found == nullptr ? std::string_view{} : found->advice;
}

std::string connect_fault(std::string_view message)
{
    auto rest = message;
    auto const first = take_line(rest);
    for (auto left = message; !left.empty();) {
        auto const line = take_line(left);
        if (auto const* const found = find_cause(line)) return std::string{line} + ": " + std::string{found->advice};
    }
    return std::string{first};
}

}
