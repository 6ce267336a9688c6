#pragma once

// The PostgreSQL of TEST_DATABASE_URL with TLS switched on, and the certificates of tests/support/certificates. All of
// it goes by SQL, because the server may have another root file system than the test (tests/debian13). Destroying it
// switches TLS off again.

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
    // A user who is let in with a client certificate only, until this object is destroyed.
    void add_certified_user(std::string const& name);

    [[nodiscard]] std::string pem(std::string const& file) const; // ca.crt, client.key, ...
    [[nodiscard]] std::string path(std::string const& file) const { return certificates_ + "/" + file; }
    // DATABASE_HOST and its neighbours.
    [[nodiscard]] environment variables(std::string const& host, std::string const& user = "postgres") const;
    [[nodiscard]] std::string url(std::string const& query, std::string const& user = "postgres") const
    {
        return "postgresql://" + user + "@" + place_ + query;
    }

private:
    [[nodiscard]] std::string ask(std::string const& sql) const;
    void write_at_server(std::string const& path, std::string_view content) const;
    void reload() const;

    std::string certificates_;
    std::string place_; // 127.0.0.1:PORT/postgres
    std::string access_rules_; // as they were; empty: unchanged
    std::string certified_user_;
    int presented_{0};
};

}
