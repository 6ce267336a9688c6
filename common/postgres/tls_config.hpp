#pragma once

// TLS to PostgreSQL by Strapi's own variables: DATABASE_SSL, DATABASE_SSL_CA, DATABASE_SSL_CERT, DATABASE_SSL_KEY and
// DATABASE_SSL_REJECT_UNAUTHORIZED. As in Strapi, DATABASE_SSL=true verifies the server's certificate and its name.
//
// Rules, from strongest to weakest:
// T1: a keyword of DATABASE_URL (sslmode, sslrootcert, sslcert, ...) wins over the variable for it.
// T2: DATABASE_SSL=true is sslmode=verify-full; with DATABASE_SSL_REJECT_UNAUTHORIZED=false it is sslmode=require.
// T3: under T2 libpq reads no certificate or key from a home directory, and never uses Kerberos instead of TLS.
// T4: a certificate or key without TLS is a fault: the operator expects an encrypted connection.

#include "common/config/config_source.hpp"
#include "common/postgres/conninfo.hpp"

#include <string>

namespace clerk_strapi::postgres
{

struct tls_settings
{
    bool wanted{false}; // DATABASE_SSL
    bool verifies{true}; // DATABASE_SSL_REJECT_UNAUTHORIZED
    std::string ca; // PEM, like the next two; empty: the system's certificates
    std::string certificate;
    std::string key;

    bool operator==(tls_settings const&) const = default;
};

// Reads the variables for a connection that has `settings` so far. `source` records faults and warnings.
[[nodiscard]] tls_settings read_tls_settings(config_source& source, conninfo_settings const& settings);

// Adds libpq's keywords for TLS to `settings`. Returns the files in memory that they name.
// Throws std::system_error when such a file cannot be created.
[[nodiscard]] conninfo::files apply_tls(tls_settings const& tls, conninfo_settings& settings);

}
