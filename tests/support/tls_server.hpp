#pragma once

// Switches TLS on in the PostgreSQL of TEST_DATABASE_URL, with the certificates of tests/support/certificates. It uses
// SQL only, because the server may have another root file system than the test (tests/tools/debian13). The destructor
// switches TLS off.

#include "common/config/config_source.hpp"

#include <string>
#include <string_view>

namespace clerk_strapi::tests
{

class tls_server
{
public:
    tls_server();
    ~tls_server();
    tls_server(tls_server const&) = delete;
    tls_server& operator=(tls_server const&) = delete;

    // The server presents this certificate from now on. Client certificates must be signed by `ca`.
    void present(std::string const& name);
    // Until this object is destroyed, this user needs a client certificate.
    void add_certified_user(std::string const& name);

    [[nodiscard]] std::string pem(std::string const& file) const; // ca.crt, client.key, ...
    [[nodiscard]] std::string path(std::string const& file) const { return certificates_ + "/" + file; }
    // DATABASE_HOST, DATABASE_PORT and so on.
    [[nodiscard]] environment variables(std::string const& host, std::string const& user = "postgres") const;
    [[nodiscard]] std::string url(std::string const& query, std::string const& user = "postgres") const
    {
        return "postgresql://" + user + "@" + place_ + query;
    }

private:
    [[nodiscard]] std::string query(std::string const& sql) const;
    void write_at_server(std::string const& path, std::string_view content) const;
    void reload() const;

    std::string certificates_;
    std::string place_; // 127.0.0.1:PORT/postgres
    std::string access_rules_; // the previous ones; empty: unchanged
    std::string certified_user_;
    int presented_{0};
};

}
