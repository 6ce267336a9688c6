#include "tests/support/tls_server.hpp"

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <stdexcept>

#include <pqxx/pqxx>
#include <unistd.h>

namespace clerk_strapi::tests
{
namespace
{

using namespace std::chrono_literals;

constexpr auto reload_deadline = 20s;

std::string make_certificates()
{
    static int counter = 0;
    auto folder = (std::filesystem::temp_directory_path()
        / ("tls_server_" + std::to_string(::getpid()) + "_" + std::to_string(++counter)))
                      .string();
    if (std::system((std::string{TEST_CERTIFICATES} + " " + folder).c_str()) != 0)
        throw std::runtime_error{"no certificates in " + folder};
    return folder;
}

std::string place_of(std::string const& url) { return url.substr(url.find('@') + 1); }

}

tls_server::tls_server()
    : certificates_{make_certificates()}
    , place_{place_of(std::getenv("TEST_DATABASE_URL"))}
{
}

tls_server::~tls_server()
{
    try {
        if (!access_rules_.empty()) write_at_server(query("show hba_file"), access_rules_);
        for (auto const* const setting : {"ssl", "ssl_cert_file", "ssl_key_file", "ssl_ca_file"})
            static_cast<void>(query(std::string{"alter system reset "} + setting));
        reload();
        if (!certified_user_.empty()) static_cast<void>(query("drop role " + certified_user_));
    } catch (std::exception const& error) {
        std::cerr << "TLS stays on: " << error.what() << '\n';
    }
    std::filesystem::remove_all(certificates_);
}

std::string tls_server::query(std::string const& sql) const
{
    pqxx::connection connection{url("?sslmode=prefer")};
    pqxx::nontransaction work{connection};
    auto const rows = work.exec(sql);
    return rows.empty() ? "" : rows[0][0].as<std::string>("");
}

// In base64, because COPY has its own escapes. Only the server's user may have access to a key.
void tls_server::write_at_server(std::string const& path, std::string_view content) const
{
    pqxx::connection connection{url("?sslmode=prefer")};
    pqxx::nontransaction work{connection};
    work.exec("copy (select translate(encode(convert_to(" + work.quote(std::string{content})
        + ", 'UTF8'), 'base64'), E'\\n', '')) to program 'umask 077; base64 -d >\"" + path + "\"'");
}

// A new connection returns when the server last read its files.
void tls_server::reload() const
{
    constexpr auto load_time = "select pg_conf_load_time()::text";
    auto const before = query(load_time);
    static_cast<void>(query("select pg_reload_conf()"));
    auto const deadline = std::chrono::steady_clock::now() + reload_deadline;
    while (query(load_time) == before) {
        if (std::chrono::steady_clock::now() > deadline) throw std::runtime_error{"the server does not reload"};
    }
}

void tls_server::present(std::string const& name)
{
    auto const prefix = "tls-" + std::to_string(::getpid()) + "-" + std::to_string(++presented_);
    auto const folder = query("show data_directory");
    auto const use = [&](std::string const& setting, std::string const& suffix, std::string const& source) {
        write_at_server(folder + "/" + prefix + suffix, pem(source));
        static_cast<void>(query("alter system set " + setting + " = '" + prefix + suffix + "'"));
    };
    use("ssl_cert_file", ".crt", name + ".crt");
    use("ssl_key_file", ".key", name + ".key");
    use("ssl_ca_file", ".ca", "ca.crt");
    static_cast<void>(query("alter system set ssl = on"));
    reload();
}

void tls_server::add_certified_user(std::string const& name)
{
    static_cast<void>(query("create role " + name + " superuser login"));
    certified_user_ = name;
    access_rules_ = query("select pg_read_file(current_setting('hba_file'))");
    write_at_server(query("show hba_file"),
        "hostssl all " + name + " 127.0.0.1/32 cert\nhost all " + name + " 127.0.0.1/32 reject\n" + access_rules_);
    reload();
}

std::string tls_server::pem(std::string const& file) const
{
    std::ifstream text{path(file)};
    if (!text) throw std::runtime_error{"cannot read " + path(file)};
    return {std::istreambuf_iterator<char>{text}, {}};
}

environment tls_server::variables(std::string const& host, std::string const& user) const
{
    auto const port_begin = place_.find(':') + 1;
    auto const port = place_.substr(port_begin, place_.find('/') - port_begin);
    return {
        {"DATABASE_HOST", host}, {"DATABASE_PORT", port}, {"DATABASE_NAME", "postgres"}, {"DATABASE_USERNAME", user}};
}

}
