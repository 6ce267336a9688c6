// How the TLS variables become settings of libpq, and which values are rejected.

#include "common/postgres/connect_fault.hpp"
#include "common/postgres/database_config.hpp"
#include "common/postgres/pem.hpp"
#include "common/postgres/tls_config.hpp"
#include "tests/support/pem_texts.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <sys/stat.h>
#include <unistd.h>

namespace clerk_strapi::postgres
{
namespace
{

using tests::make_pem_pair;
using tests::pem_pair;

pem_pair const& ours()
{
    static auto const made = make_pem_pair();
    return made;
}

pem_pair const& other()
{
    static auto const made = make_pem_pair();
    return made;
}

std::string one_line(std::string text)
{
    for (auto at = text.find('\n'); at != std::string::npos; at = text.find('\n', at))
        text.replace(at, 1, "\\n");
    return text;
}

bool holds(std::string const& text, std::string_view part) { return text.find(part) != std::string::npos; }

std::string joined(std::vector<std::string> const& lines)
{
    std::string out;
    for (auto const& line : lines)
        out += line + "\n";
    return out;
}

struct outcome
{
    std::string faults;
    std::string warnings;
    conninfo_settings settings; // as passed to libpq
    conninfo::files files;
};

outcome read(environment values)
{
    config_source source{program::worker, values};
    auto const url = values.find("DATABASE_URL");
    outcome found;
    if (url != values.end()) found.settings = parse_conninfo(url->second).value();
    auto const tls = read_tls_settings(source, found.settings);
    found.faults = joined(source.faults());
    found.warnings = joined(source.warnings());
    if (found.faults.empty()) found.files = apply_tls(tls, found.settings);
    return found;
}

std::string content_of(std::string const& path)
{
    std::ifstream file{path};
    return {std::istreambuf_iterator<char>{file}, {}};
}

struct text_file
{
    std::string path = (std::filesystem::temp_directory_path()
        / ("database_tls_" + std::to_string(::getpid()) + "_" + std::to_string(next())))
                           .string();

    explicit text_file(std::string const& text) { write(text); }
    ~text_file() { std::filesystem::remove(path); }
    void write(std::string const& text) const { std::ofstream{path, std::ios::trunc} << text; }
    static int next()
    {
        static int counter = 0;
        return ++counter;
    }
};

}

TEST_CASE("database TLS: DATABASE_SSL=true verifies certificate and host name")
{
    auto const off = read({{"DATABASE_SSL", "false"}});
    CHECK(off.settings.empty());
    CHECK(off.faults.empty());

    text_file const system{ours().certificate};
    ::setenv("SSL_CERT_FILE", system.path.c_str(), 1);
    auto const on = read({{"DATABASE_SSL", "true"}});
    ::unsetenv("SSL_CERT_FILE");
    CHECK(on.settings.at("sslmode") == "verify-full");
    CHECK(on.settings.at("sslrootcert") == system.path);
    CHECK(on.settings.at("gssencmode") == "disable");
    CHECK(on.warnings.empty());
    // No file of the home directory.
    CHECK_FALSE(std::filesystem::exists(on.settings.at("sslcert")));
    CHECK_FALSE(std::filesystem::exists(on.settings.at("sslkey")));

    ::setenv("SSL_CERT_FILE", "/nonexistent/ca.crt", 1);
    auto const missing = read({{"DATABASE_SSL", "true"}});
    ::unsetenv("SSL_CERT_FILE");
    CHECK(holds(missing.faults, "DATABASE_SSL verifies PostgreSQL with the system's certificates"));
    CHECK(holds(missing.faults, "set DATABASE_SSL_CA_FILE"));
}

TEST_CASE("database TLS: PEM texts become private files for libpq, also from one line")
{
    for (auto const& form : {ours().certificate, one_line(ours().certificate)}) {
        auto const found = read({{"DATABASE_SSL", "true"}, {"DATABASE_SSL_CA", form}, {"DATABASE_SSL_CERT", form},
            {"DATABASE_SSL_KEY", one_line(ours().key)}});
        REQUIRE(found.faults.empty());
        CHECK(content_of(found.settings.at("sslrootcert")) == ours().certificate);
        CHECK(content_of(found.settings.at("sslcert")) == ours().certificate);
        CHECK(content_of(found.settings.at("sslkey")) == ours().key);
        struct stat status = {};
        REQUIRE(::stat(found.settings.at("sslkey").c_str(), &status) == 0);
        CHECK((status.st_mode & 07777U) == 0600U);
        CHECK(status.st_uid == ::geteuid());
    }
}

TEST_CASE("database TLS: switches verification off only on request, with a warning")
{
    auto const off = read({{"DATABASE_SSL", "true"}, {"DATABASE_SSL_REJECT_UNAUTHORIZED", "false"},
        {"DATABASE_SSL_CA", ours().certificate}});
    CHECK(off.faults.empty());
    CHECK(off.settings.at("sslmode") == "require");
    CHECK_FALSE(std::filesystem::exists(off.settings.at("sslrootcert")));
    CHECK(holds(off.warnings, "DATABASE_SSL_REJECT_UNAUTHORIZED switches verification off"));
    // Strapi's variable alone changes nothing.
    auto const alone = read({{"DATABASE_SSL_REJECT_UNAUTHORIZED", "false"}});
    CHECK(alone.settings.empty());
    CHECK(alone.warnings.empty());
}

TEST_CASE("database TLS: DATABASE_URL wins, with a warning below verify-full")
{
    struct
    {
        char const* query;
        char const* ssl;
        char const* mode;
        bool warns;
    } const rows[] = {
        {"", "false", "", false},
        {"?sslmode=disable", "false", "disable", false},
        {"?sslmode=disable", "true", "disable", true},
        {"?sslmode=prefer", "true", "prefer", true},
        {"?sslmode=require", "false", "require", true},
        {"?sslmode=require", "true", "require", true},
        {"?sslmode=no-verify", "false", "require", true},
        {"?ssl=true", "true", "require", true},
        {"?sslmode=verify-ca", "true", "verify-ca", true},
        {"?sslmode=verify-full", "true", "verify-full", false},
        {"?sslmode=verify-full", "false", "verify-full", false},
    };
    for (auto const& row : rows) {
        CAPTURE(row.query);
        CAPTURE(row.ssl);
        auto const found =
            read({{"DATABASE_URL", std::string{"postgres://u:p@db/strapi"} + row.query}, {"DATABASE_SSL", row.ssl}});
        CHECK(found.faults.empty());
        CHECK((found.settings.count("sslmode") ? found.settings.at("sslmode") : "") == row.mode);
        CHECK(found.warnings.empty() != row.warns);
    }
    auto const own_ca = read({{"DATABASE_URL", "postgres://u:p@db/strapi?sslrootcert=/own/ca.crt"},
        {"DATABASE_SSL", "true"}, {"DATABASE_SSL_CA", ours().certificate}});
    CHECK(own_ca.settings.at("sslmode") == "verify-full");
    CHECK(own_ca.settings.at("sslrootcert") == "/own/ca.crt");
    auto const required =
        read({{"DATABASE_URL", "postgres://u:p@db/strapi?sslmode=require"}, {"DATABASE_SSL_CA", ours().certificate}});
    CHECK(content_of(required.settings.at("sslrootcert")) == ours().certificate);
    CHECK(required.warnings.empty());
}

TEST_CASE("database TLS: a fault names the variable and never the value (F30) [I6]")
{
    auto const& pem = ours();
    auto const half = pem.certificate.substr(0, pem.certificate.size() / 2);
    text_file const empty{""};
    struct
    {
        environment values;
        char const* fault;
    } const rows[] = {
        {{{"DATABASE_SSL_CA", "/etc/ssl/rds.pem"}}, "DATABASE_SSL_CA holds no PEM text"},
        {{{"DATABASE_SSL_CA", half}}, "DATABASE_SSL_CA holds a certificate that cannot be read"},
        {{{"DATABASE_SSL_CA", pem.certificate + half}}, "DATABASE_SSL_CA holds a certificate that cannot be read"},
        {{{"DATABASE_SSL_CA", pem.key}}, "DATABASE_SSL_CA holds a private key"},
        {{{"DATABASE_SSL_CERT", pem.certificate}}, "DATABASE_SSL_CERT is set without DATABASE_SSL_KEY"},
        {{{"DATABASE_SSL_KEY", pem.key}}, "DATABASE_SSL_KEY is set without DATABASE_SSL_CERT"},
        {{{"DATABASE_SSL_CERT", pem.key}, {"DATABASE_SSL_KEY", pem.key}}, "DATABASE_SSL_CERT holds a private key"},
        {{{"DATABASE_SSL_CERT", pem.certificate}, {"DATABASE_SSL_KEY", pem.certificate}},
            "DATABASE_SSL_KEY holds no private key"},
        {{{"DATABASE_SSL_CERT", pem.certificate}, {"DATABASE_SSL_KEY", pem.encrypted_key}},
            "DATABASE_SSL_KEY holds a key with a passphrase"},
        {{{"DATABASE_SSL_CERT", pem.certificate}, {"DATABASE_SSL_KEY", pem.key.substr(0, 80)}},
            "DATABASE_SSL_KEY holds a private key that cannot be read"},
        {{{"DATABASE_SSL_CERT", pem.certificate}, {"DATABASE_SSL_KEY", other().key}},
            "DATABASE_SSL_KEY is not the private key of the certificate"},
        {{{"DATABASE_SSL_CA_FILE", "/nonexistent"}}, "DATABASE_SSL_CA_FILE cannot read"},
        {{{"DATABASE_SSL_CA_FILE", "/dev/null"}}, "DATABASE_SSL_CA_FILE cannot read"},
        {{{"DATABASE_SSL_CA_FILE", empty.path}}, "DATABASE_SSL_CA_FILE names an empty file"},
        {{{"DATABASE_SSL_REJECT_UNAUTHORIZED", "perhaps"}}, "DATABASE_SSL_REJECT_UNAUTHORIZED must be true or false"},
    };
    for (auto const& row : rows) {
        CAPTURE(row.fault);
        auto values = row.values;
        values.emplace("DATABASE_SSL", "true");
        auto const found = read(values);
        CHECK(holds(found.faults, row.fault));
        for (auto const& [name, value] : values) {
            if (value.size() > 40) CHECK_FALSE(holds(found.faults, value.substr(value.size() - 40, 30)));
        }
    }
}

TEST_CASE("database TLS: a certificate or key without TLS is a fault")
{
    for (environment const& values : {environment{{"DATABASE_SSL_CA", ours().certificate}},
             environment{{"DATABASE_SSL_CA", ours().certificate}, {"DATABASE_SSL", "false"}}}) {
        CHECK(holds(read(values).faults, "DATABASE_SSL_CA is set, but TLS is off: set DATABASE_SSL=true"));
    }
    auto const prefers =
        read({{"DATABASE_SSL_CA", ours().certificate}, {"DATABASE_URL", "postgres://u:p@db/strapi?sslmode=prefer"}});
    CHECK(holds(prefers.faults, "DATABASE_SSL_CA is set, but DATABASE_URL has sslmode=prefer"));
    auto const ignored = read({{"DATABASE_SSL_CAPATH", "/etc/ssl/certs"}, {"DATABASE_SSL_CIPHER", "AES"}});
    CHECK(ignored.faults.empty());
    CHECK(holds(ignored.warnings, "DATABASE_SSL_CAPATH is ignored"));
    CHECK(holds(ignored.warnings, "DATABASE_SSL_CIPHER is ignored"));
}

TEST_CASE("database TLS: uses replaced files, and keeps the last ones if unusable (F30)")
{
    text_file const ca{ours().certificate};
    text_file const certificate{ours().certificate};
    text_file const key{ours().key};
    config_source source{program::worker,
        {{"DATABASE_HOST", "db"}, {"DATABASE_NAME", "strapi"}, {"DATABASE_SSL", "true"},
            {"DATABASE_SSL_CA_FILE", ca.path}, {"DATABASE_SSL_CERT_FILE", certificate.path},
            {"DATABASE_SSL_KEY_FILE", key.path}}};
    auto const current = read_database_config(source, "clerk-worker", database_need::required);
    REQUIRE(current);
    auto const file_of = [&](conninfo const& opened, char const* keyword) {
        // The last line break of the file is not part of the value.
        return content_of(parse_conninfo(opened.text()).value().at(keyword)) + "\n";
    };
    auto const first = (*current)();
    CHECK((*current)().text() == first.text());

    for (auto const& bad : {std::string{}, ours().certificate.substr(0, 100), std::string{"no PEM"}, ours().key}) {
        ca.write(bad);
        CHECK((*current)().text() == first.text());
    }
    std::filesystem::remove(ca.path);
    CHECK((*current)().text() == first.text());
    ca.write(other().certificate);
    auto const second = (*current)();
    CHECK(file_of(second, "sslrootcert") == other().certificate);
    // A connection that is being opened with the previous values still finds their files.
    CHECK(file_of(first, "sslrootcert") == ours().certificate);

    certificate.write(other().certificate); // the key follows a moment later
    CHECK((*current)().text() == second.text());
    key.write(other().key);
    CHECK(file_of((*current)(), "sslcert") == other().certificate);
    CHECK(file_of((*current)(), "sslkey") == other().key);
}

TEST_CASE("database TLS: closes files of earlier values without connections [I6]")
{
    text_file const ca{ours().certificate};
    config_source source{program::worker,
        {{"DATABASE_HOST", "db"}, {"DATABASE_NAME", "strapi"}, {"DATABASE_SSL", "true"},
            {"DATABASE_SSL_CA_FILE", ca.path}}};
    auto const current = read_database_config(source, "clerk-worker", database_need::required);
    REQUIRE(current);
    auto const descriptors = [] {
        std::filesystem::directory_iterator const open{"/proc/self/fd"};
        return std::distance(begin(open), end(open));
    };
    auto const before = descriptors();
    for (auto i = 0; i < 20; ++i) {
        ca.write(i % 2 == 0 ? other().certificate : ours().certificate);
        static_cast<void>((*current)());
    }
    CHECK(descriptors() == before);
}

TEST_CASE("database TLS: reports a failed connection in one line, with cause and fix")
{
    struct
    {
        char const* message;
        char const* expected;
    } const rows[] = {
        {"connection to server at \"db\" (::1), port 5432 failed: Connection refused\n\tIs the server running?\n"
         "connection to server at \"db\" (10.0.0.1), port 5432 failed: SSL error: certificate verify failed\n",
            "10.0.0.1), port 5432 failed: SSL error: certificate verify failed: the server's certificate has expired"},
        {"server certificate for \"a\" does not match host name \"b\"", "connect to a name"},
        {"server does not support SSL, but SSL was required", "switch TLS on at the server"},
        {"FATAL:  connection requires a valid client certificate", "set DATABASE_SSL_CERT_FILE"},
        {"SSL error: tlsv1 alert unknown ca", "the server does not accept DATABASE_SSL_CERT"},
        {"FATAL:  no pg_hba.conf entry for host \"h\", user \"u\", database \"d\", no encryption",
            "set DATABASE_SSL=true"},
        {"FATAL:  password authentication failed for user \"u\"\nDETAIL: more", "failed for user \"u\""},
    };
    for (auto const& row : rows) {
        auto const line = connect_fault(row.message);
        CAPTURE(line);
        CHECK(holds(line, row.expected));
        CHECK_FALSE(holds(line, "\n"));
        CHECK_FALSE(holds(line, "DETAIL"));
    }
}

}
