// libpq with a real PostgreSQL and TLS: which servers are accepted, and the messages for those that are not.

#include "common/postgres/database_config.hpp"
#include "common/postgres/probe.hpp"
#include "tests/support/site_database.hpp"
#include "tests/support/tls_server.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>

using namespace clerk_strapi;
using namespace clerk_strapi::tests;
using postgres::work_outcome;

namespace
{

struct answer
{
    std::string protection; // empty: not connected
    std::string fault;
};

// Connects as both programs do: with the probe of `check` and with a session. Both must agree.
answer connect_to(environment const& place, environment const& tls)
{
    auto values = place;
    values.insert(tls.begin(), tls.end());
    config_source source{program::worker, values};
    auto const target = postgres::read_database_config(source, "tests", postgres::database_need::required);
    if (!target) return {"", source.faults().at(0)};
    auto const found = postgres::probe((*target)());
    postgres::session session{*target};
    auto const done = session.run([](pqxx::work& work) { work.exec("select 1"); });
    CHECK((done.outcome == work_outcome::done) == found.fault.empty());
    CHECK(done.detail == found.fault);
    return {found.protection, found.fault};
}

bool holds(std::string const& text, std::string_view part) { return text.find(part) != std::string::npos; }

constexpr auto skipped = "TLS to PostgreSQL";

}

TEST_CASE("database TLS: verifies CA and host name, and explains how to fix a refusal")
{
    if (!have_postgres(skipped)) return;
    tls_server server;
    auto const here = server.variables("127.0.0.1");
    environment const ca{{"DATABASE_SSL", "true"}, {"DATABASE_SSL_CA_FILE", server.path("ca.crt")}};
    environment const unverified{{"DATABASE_SSL", "true"}, {"DATABASE_SSL_REJECT_UNAUTHORIZED", "false"}};

    auto const plain = connect_to(here, ca);
    CHECK(plain.protection.empty());
    CHECK(holds(plain.fault, "server does not support SSL, but SSL was required: switch TLS on at the server"));
    CHECK(holds(connect_to(here, unverified).fault, "server does not support SSL"));
    CHECK(connect_to(here, {}).protection == "no TLS");

    server.present("server");
    CHECK(connect_to(here, ca).protection
        == "TLSv1.3, certificate and host name verified"); // by the IP address in the certificate
    CHECK(connect_to(server.variables("localhost"), ca).protection == "TLSv1.3, certificate and host name verified");
    auto const wrong = connect_to(here, {{"DATABASE_SSL", "true"}, {"DATABASE_SSL_CA", server.pem("other-ca.crt")}});
    CHECK(holds(wrong.fault, "certificate verify failed: the server's certificate has expired, or no CA"));
    CHECK(holds(connect_to(here, {{"DATABASE_SSL", "true"}}).fault,
        "certificate verify failed")); // not signed by one of the system's CAs
    CHECK(connect_to(here, unverified).protection == "TLSv1.3, certificate not verified");

    server.present("expired");
    CHECK(holds(connect_to(here, ca).fault, "certificate verify failed: the server's certificate has expired"));
    CHECK(connect_to(here, unverified).protection == "TLSv1.3, certificate not verified");

    server.present("elsewhere");
    auto const elsewhere = connect_to(here, ca);
    CHECK(holds(elsewhere.fault, "does not match host name \"127.0.0.1\": connect to a name that the server's"));

    server.present("other-server");
    CHECK(holds(connect_to(here, ca).fault, "certificate verify failed"));
    environment const both{
        {"DATABASE_SSL", "true"}, {"DATABASE_SSL_CA", server.pem("ca.crt") + server.pem("other-ca.crt")}};
    CHECK(connect_to(here, both).protection == "TLSv1.3, certificate and host name verified");
}

TEST_CASE("database TLS: ignores certificates in the home directory")
{
    if (!have_postgres(skipped)) return;
    tls_server server;
    server.present("server");
    auto const home = server.path("home");
    std::filesystem::create_directories(home + "/.postgresql");
    auto const link = [&](std::string const& from, std::string const& to) {
        std::filesystem::copy_file(server.path(from), home + "/.postgresql/" + to);
    };
    link("other-ca.crt", "root.crt");
    link("stranger.crt", "postgresql.crt");
    link("stranger.key", "postgresql.key");
    std::string const before = std::getenv("HOME") == nullptr ? "/" : std::getenv("HOME");
    ::setenv("HOME", home.c_str(), 1);
    auto const here = server.variables("127.0.0.1");
    // libpq alone: `require` verifies when the home directory has a CA.
    CHECK(holds(connect_to({{"DATABASE_URL", server.url("?sslmode=require")}}, {}).fault, "certificate verify failed"));
    CHECK(connect_to(here, {{"DATABASE_SSL", "true"}, {"DATABASE_SSL_REJECT_UNAUTHORIZED", "false"}}).protection
        == "TLSv1.3, certificate not verified");
    CHECK(connect_to(here, {{"DATABASE_SSL", "true"}, {"DATABASE_SSL_CA_FILE", server.path("ca.crt")}}).protection
        == "TLSv1.3, certificate and host name verified");
    ::setenv("HOME", before.c_str(), 1);
}

TEST_CASE("database TLS: verifies DATABASE_URL too, unless it has its own sslmode")
{
    if (!have_postgres(skipped)) return;
    tls_server server;
    server.present("server");
    environment const wrong{{"DATABASE_SSL", "true"}, {"DATABASE_SSL_CA_FILE", server.path("other-ca.crt")}};
    environment const right{{"DATABASE_SSL", "true"}, {"DATABASE_SSL_CA_FILE", server.path("ca.crt")}};
    auto const by_url = [&](std::string const& query) { return environment{{"DATABASE_URL", server.url(query)}}; };
    CHECK(holds(connect_to(by_url(""), wrong).fault, "certificate verify failed"));
    CHECK(connect_to(by_url(""), right).protection == "TLSv1.3, certificate and host name verified");
    CHECK(connect_to(by_url("?sslmode=disable"), {{"DATABASE_SSL", "true"}}).protection == "no TLS");
    CHECK(connect_to(by_url("?sslmode=no-verify"), {}).protection == "TLSv1.3, certificate not verified");
    CHECK(holds(connect_to(by_url("?sslmode=verify-full&sslrootcert=" + server.path("other-ca.crt")), right).fault,
        "certificate verify failed"));
    CHECK(connect_to(by_url("?sslmode=verify-ca"), right).protection
        == "TLSv1.3, certificate verified, host name not verified");
}

TEST_CASE("database TLS: sends the client certificate; the server rejects a wrong one")
{
    if (!have_postgres(skipped)) return;
    tls_server server;
    server.present("server");
    server.add_certified_user("certified");
    auto const here = server.variables("127.0.0.1", "certified");
    environment const ca{{"DATABASE_SSL", "true"}, {"DATABASE_SSL_CA_FILE", server.path("ca.crt")}};
    auto const with = [&](std::string const& certificate, std::string const& key) {
        auto values = ca;
        values["DATABASE_SSL_CERT"] = server.pem(certificate);
        values["DATABASE_SSL_KEY"] = server.pem(key);
        return values;
    };
    CHECK(
        connect_to(here, with("client.crt", "client.key")).protection == "TLSv1.3, certificate and host name verified");
    CHECK(holds(connect_to(here, ca).fault, "requires a valid client certificate: set DATABASE_SSL_CERT_FILE"));
    CHECK(
        holds(connect_to(here, with("client.crt", "server.key")).fault, "DATABASE_SSL_KEY is not the private key of"));
    CHECK(holds(
        connect_to(here, with("stranger.crt", "stranger.key")).fault, "the server does not accept DATABASE_SSL_CERT"));
    // A certificate made for another user.
    CHECK(holds(connect_to(here, with("server.crt", "server.key")).fault, "certificate authentication failed"));
    CHECK(holds(connect_to({{"DATABASE_URL", server.url("?sslmode=disable", "certified")}}, {}).fault,
        "no encryption: the server accepts TLS only"));
}
