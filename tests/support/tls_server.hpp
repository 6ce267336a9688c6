#pragma once

// A PostgreSQL of its own with TLS, and the certificates of tests/support/certificates. tests/run names the folders.

#include "common/runtime/config_source.hpp"

#include <string>

namespace clerk_strapi::tests
{

class tls_server
{
public:
    // False, with the words that the runner counts as a skip: there is no folder to start a server in.
    [[nodiscard]] static bool possible(char const* test);

    tls_server();
    ~tls_server();
    tls_server(tls_server const&) = delete;
    tls_server& operator=(tls_server const&) = delete;

    // The server presents this certificate from now on. Client certificates must be signed by `ca`.
    void present(std::string const& name) const;
    // As the superuser. The database is `postgres`.
    void execute(std::string const& sql) const;
    void put_before_access_rules(std::string const& lines) const;

    [[nodiscard]] std::string pem(std::string const& file) const; // ca.crt, client.key, ...
    [[nodiscard]] std::string path(std::string const& file) const { return certificates_ + "/" + file; }
    // DATABASE_HOST and its neighbours.
    [[nodiscard]] environment variables(std::string const& host, std::string const& user = "postgres") const;
    [[nodiscard]] std::string url(std::string const& query, std::string const& user = "postgres") const
    {
        return "postgresql://" + user + "@" + place_ + query;
    }

private:
    std::string folder_;
    std::string certificates_;
    std::string place_; // 127.0.0.1:PORT/postgres
    std::string port_;
};

}
