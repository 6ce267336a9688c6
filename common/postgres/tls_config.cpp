#include "common/postgres/tls_config.hpp"

#include "common/postgres/pem.hpp"

#include <cstdlib>
#include <string_view>
#include <unistd.h>

namespace clerk_strapi::postgres
{
namespace
{

constexpr auto tls_name = "DATABASE_SSL";
constexpr auto verifies_name = "DATABASE_SSL_REJECT_UNAUTHORIZED";
constexpr auto ca_name = "DATABASE_SSL_CA";
constexpr auto certificate_name = "DATABASE_SSL_CERT";
constexpr auto key_name = "DATABASE_SSL_KEY";

// No file can have this name. Without a name libpq would look into the home directory.
constexpr auto no_file = "/dev/null/none";

// The file that also verifies Clerk's API. libpq has sslrootcert=system for it only from version 16 on.
std::string system_certificates()
{
    auto const* const chosen = std::getenv("SSL_CERT_FILE"); // NOLINT(concurrency-mt-unsafe): nothing here sets it
    return chosen != nullptr && *chosen != '\0' ? chosen : "/etc/ssl/certs/ca-certificates.crt";
}

bool has(conninfo_settings const& settings, char const* keyword) { return settings.find(keyword) != settings.end(); }

// T1 and T2. Empty: neither DATABASE_SSL nor the URL requests TLS.
std::string mode_of(tls_settings const& tls, conninfo_settings const& settings)
{
    if (auto const own = settings.find("sslmode"); own != settings.end())
        return own->second == "no-verify" ? "require" : own->second; // no-verify: what Strapi's client calls it
    if (!tls.wanted) return {};
    return tls.verifies ? "verify-full" : "require";
}

bool is_verifying(std::string_view mode) { return mode.starts_with("verify-"); }
bool is_encrypting(std::string_view mode) { return mode == "require" || is_verifying(mode); }

// With a CA, libpq verifies in the mode `require` too. An operator who switched verification off does not expect that.
bool uses_ca(tls_settings const& tls, std::string_view mode)
{
    return !tls.ca.empty() && (is_verifying(mode) || (mode == "require" && tls.verifies));
}

std::string read_pem(
    config_source& source, std::string_view name, std::optional<std::string> (*fault_of)(std::string const&))
{
    if (!source.is_set(name)) return {};
    auto const faults_before = source.faults().size();
    auto pem = with_line_breaks(source.secret_text(name).reveal());
    if (source.faults().size() > faults_before) return {}; // the file is unreadable, and that fault is recorded
    if (pem.empty()) {
        source.fault(std::string{name} + "_FILE", "names an empty file: write the PEM text, or unset it");
    } else if (auto const fault = fault_of(pem)) {
        source.fault(name, *fault);
    }
    return pem;
}

void check_pair(config_source& source, tls_settings const& tls, bool sound)
{
    auto const has_certificate = source.is_set(certificate_name);
    if (has_certificate != source.is_set(key_name)) {
        source.fault(has_certificate ? certificate_name : key_name,
            std::string{"is set without "} + (has_certificate ? key_name : certificate_name)
                + ": a client certificate needs both, DATABASE_SSL_CERT and DATABASE_SSL_KEY");
    } else if (has_certificate && sound && !is_key_of(tls.key, tls.certificate)) {
        source.fault(key_name, "is not the private key of the certificate in DATABASE_SSL_CERT: replace both");
    }
}

// T4
void check_is_used(config_source& source, std::string const& mode)
{
    if (is_encrypting(mode)) return;
    for (auto const* const name : {ca_name, certificate_name, key_name}) {
        if (!source.is_set(name)) continue;
        source.fault(name,
            mode.empty() ? "is set, but TLS is off: set DATABASE_SSL=true, or unset it"
                         : "is set, but DATABASE_URL has sslmode=" + mode
                    + ", which does not require TLS: remove sslmode from the URL and set DATABASE_SSL=true");
    }
}

void check_system_certificates(config_source& source, tls_settings const& tls, conninfo_settings const& settings)
{
    if (!tls.wanted || !tls.verifies || !tls.ca.empty() || has(settings, "sslmode") || has(settings, "sslrootcert"))
        return;
    auto const file = system_certificates();
    if (::access(file.c_str(), R_OK) == 0) return;
    source.fault(tls_name,
        "verifies PostgreSQL with the system's certificates, but \"" + file
            + "\" cannot be read: set DATABASE_SSL_CA_FILE, or install the package ca-certificates");
}

void warn_of_weakness(
    config_source& source, tls_settings const& tls, conninfo_settings const& settings, std::string const& mode)
{
    if (has(settings, "sslmode") && tls.wanted && mode != "verify-full") {
        source.warn(tls_name,
            "is true, but sslmode=" + mode
                + " in DATABASE_URL wins: remove it, or write sslmode=verify-full, to verify PostgreSQL's certificate");
    } else if (mode == "require" && !uses_ca(tls, mode) && !has(settings, "sslrootcert")) {
        auto const* const name = has(settings, "sslmode") ? "DATABASE_URL" : verifies_name;
        source.warn(name,
            "switches verification off: the connection to PostgreSQL is encrypted, but any server is accepted. Set "
            "DATABASE_SSL=true and DATABASE_SSL_CA_FILE instead");
    }
}

void warn_of_ignored(config_source& source)
{
    if (source.is_present("DATABASE_SSL_CAPATH"))
        source.warn("DATABASE_SSL_CAPATH", "is ignored: put all CA certificates into one DATABASE_SSL_CA_FILE");
    if (source.is_present("DATABASE_SSL_CIPHER"))
        source.warn("DATABASE_SSL_CIPHER",
            "is ignored: limit the ciphers in the system's openssl.cnf, or in ssl_ciphers at the server");
}

}

tls_settings read_tls_settings(config_source& source, conninfo_settings const& settings)
{
    tls_settings tls;
    auto const faults_before = source.faults().size();
    tls.wanted = source.boolean(tls_name);
    tls.verifies = source.boolean(verifies_name);
    tls.ca = read_pem(source, ca_name, certificates_fault);
    tls.certificate = read_pem(source, certificate_name, certificates_fault);
    tls.key = read_pem(source, key_name, private_key_fault);
    check_pair(source, tls, source.faults().size() == faults_before);
    auto const mode = mode_of(tls, settings);
    check_is_used(source, mode);
    check_system_certificates(source, tls, settings);
    warn_of_weakness(source, tls, settings, mode);
    warn_of_ignored(source);
    return tls;
}

conninfo::files apply_tls(tls_settings const& tls, conninfo_settings& settings)
{
    conninfo::files files;
    auto const path_of = [&files](std::string const& pem) {
        files.push_back(std::make_shared<memory_file const>(pem));
        return files.back()->path();
    };
    auto const mode = mode_of(tls, settings);
    auto const own_certificate = has(settings, "sslcert") || has(settings, "sslkey");
    auto const is_ours = tls.wanted && !has(settings, "sslmode");
    if (!mode.empty()) settings["sslmode"] = mode;
    if (uses_ca(tls, mode) && !has(settings, "sslrootcert")) settings["sslrootcert"] = path_of(tls.ca);
    if (!tls.certificate.empty() && !own_certificate) {
        settings["sslcert"] = path_of(tls.certificate);
        settings["sslkey"] = path_of(tls.key);
    }
    if (!is_ours) return files;
    settings.emplace("sslrootcert", tls.verifies ? system_certificates() : no_file); // T3
    settings.emplace("sslcert", no_file);
    settings.emplace("sslkey", no_file);
    settings.emplace("gssencmode", "disable");
    return files;
}

}
