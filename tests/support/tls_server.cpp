#include "tests/support/tls_server.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>
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

std::string environment_value(char const* name)
{
    auto const* const value = std::getenv(name);
    return value == nullptr ? "" : value;
}

std::string run(std::string const& command)
{
    auto* const pipe = ::popen(command.c_str(), "r");
    if (pipe == nullptr) throw std::runtime_error{"cannot run " + command};
    std::string output;
    std::array<char, 256> part{};
    while (std::fgets(part.data(), static_cast<int>(part.size()), pipe) != nullptr)
        output += part.data();
    if (::pclose(pipe) != 0) throw std::runtime_error{command + " failed: " + output};
    while (!output.empty() && output.back() == '\n')
        output.pop_back();
    return output;
}

std::string script(std::string const& name) { return environment_value("TEST_REPOSITORY") + "/" + name + " "; }

std::string file_text(std::string const& path)
{
    std::ifstream file{path};
    if (!file) throw std::runtime_error{"cannot read " + path};
    return {std::istreambuf_iterator<char>{file}, {}};
}

}

bool tls_server::possible(char const* test)
{
    if (!environment_value("TEST_RUN_DIR").empty() && !environment_value("TEST_REPOSITORY").empty()) return true;
    std::cout << "[skipped] " << test << ": TEST_RUN_DIR and TEST_REPOSITORY are not set; tests/run sets them\n";
    return false;
}

tls_server::tls_server()
    : folder_{environment_value("TEST_RUN_DIR") + "/tls_server_" + std::to_string(::getpid())}
    , certificates_{folder_ + "_certificates"}
{
    run(script("tests/support/certificates") + certificates_);
    auto const url = run(script("deploy/local/postgres") + "start " + folder_ + " --no-fsync");
    place_ = url.substr(url.find('@') + 1);
    port_ = place_.substr(place_.find(':') + 1);
    port_.resize(port_.find('/'));
}

tls_server::~tls_server()
{
    try {
        run(script("deploy/local/postgres") + "remove " + folder_);
    } catch (std::exception const& error) {
        std::cerr << error.what() << '\n';
    }
}

void tls_server::present(std::string const& name) const
{
    run(script("deploy/local/postgres") + "tls " + folder_ + " " + path(name + ".crt") + " " + path(name + ".key") + " "
        + path("ca.crt"));
}

void tls_server::execute(std::string const& sql) const
{
    pqxx::connection connection{url("")};
    pqxx::nontransaction{connection}.exec(sql);
}

void tls_server::put_before_access_rules(std::string const& lines) const
{
    std::string file;
    {
        pqxx::connection connection{url("")};
        file = pqxx::nontransaction{connection}.exec("show hba_file")[0][0].as<std::string>();
    }
    auto const before = file_text(file);
    std::ofstream{file, std::ios::trunc} << lines << before;
    execute("select pg_reload_conf()");
}

std::string tls_server::pem(std::string const& file) const { return file_text(path(file)); }

environment tls_server::variables(std::string const& host, std::string const& user) const
{
    return {
        {"DATABASE_HOST", host}, {"DATABASE_PORT", port_}, {"DATABASE_NAME", "postgres"}, {"DATABASE_USERNAME", user}};
}

}
