#include "common/postgres/database_config.hpp"

#include "common/log/logging.hpp"
#include "common/postgres/conninfo.hpp"
#include "common/postgres/tls_config.hpp"

#include <memory>
#include <mutex>
#include <system_error>
#include <utility>

namespace clerk_strapi::postgres
{
namespace
{

// The database settings, as the variables and their files are now.
struct database_settings
{
    conninfo_settings connection;
    tls_settings tls;

    bool operator==(database_settings const&) const = default;
};

conninfo_settings read_parts(config_source& source)
{
    database_parts parts;
    parts.host = source.text("DATABASE_HOST");
    parts.port = source.text("DATABASE_PORT");
    parts.name = source.text("DATABASE_NAME");
    parts.username = source.text("DATABASE_USERNAME");
    parts.password = source.secret_text("DATABASE_PASSWORD").reveal();
    // An empty password file is a mistake: it is being written, or was mounted empty.
    if (parts.password.empty() && source.file_of("DATABASE_PASSWORD"))
        source.fault("DATABASE_PASSWORD_FILE", "names an empty file: write the password, or unset it");
    return to_settings(parts);
}

std::optional<conninfo_settings> read_connection(config_source& source)
{
    if (!source.is_set("DATABASE_URL")) return read_parts(source);
    auto const url = source.secret_text("DATABASE_URL");
    if (url.empty()) return std::nullopt; // the file is being written; libpq would connect to its default
    return parse_conninfo(url.reveal());
}

std::optional<database_settings> read_settings(config_source& source)
{
    auto connection = read_connection(source);
    if (!connection) return std::nullopt;
    auto tls = read_tls_settings(source, *connection);
    return database_settings{std::move(*connection), std::move(tls)};
}

conninfo open(database_settings const& settings, std::string const& program)
{
    auto connection = settings.connection;
    auto files = apply_tls(settings.tls, connection);
    return {make_conninfo(std::move(connection), program), std::move(files)};
}

// Settings whose files may change. Unusable values are logged once, and the previous ones stay in use.
class followed_settings
{
public:
    followed_settings(config_source const& from, std::string program, database_settings first)
        : source_{from}
        , program_{std::move(program)}
        , good_{std::move(first)}
        , opened_{open(good_, program_)}
    {
    }

    [[nodiscard]] conninfo current()
    {
        std::lock_guard const lock{mutex_};
        auto fresh = source_; // a copy, because faults of now must not stay
        auto const faults_before = fresh.faults().size();
        auto settings = read_settings(fresh);
        if (fresh.faults().size() > faults_before) {
            log_kept(fresh.faults().back());
        } else if (!settings) {
            log_kept("DATABASE_URL_FILE does not contain a database URL");
        } else {
            adopt(std::move(*settings));
        }
        return opened_;
    }

private:
    void adopt(database_settings settings)
    {
        if (settings == good_) {
            log_kept_ = true;
            return;
        }
        try {
            opened_ = open(settings, program_);
        } catch (std::system_error const& error) {
            return log_kept(error.what());
        }
        good_ = std::move(settings);
        log_kept_ = true;
        log::info("read the changed database settings; new connections use them");
    }

    void log_kept(std::string_view fault)
    {
        if (!std::exchange(log_kept_, false)) return;
        log::error("cannot use the changed database settings; keeping the previous ones", {{"fault", fault}});
    }

    std::mutex mutex_; // several connections may call current() at once
    config_source source_;
    std::string program_;
    database_settings good_;
    conninfo opened_;
    bool log_kept_{true}; // the next failure is the first and is logged
};

bool nothing_set(config_source& source)
{
    return !source.is_set("DATABASE_URL") && !source.is_set("DATABASE_HOST") && !source.is_set("DATABASE_NAME");
}

}

std::optional<session::conninfo_source> read_database_config(
    config_source& source, std::string const& program, database_need need)
{
    if (need == database_need::optional && nothing_set(source)) return std::nullopt;
    if (!source.is_set("DATABASE_URL") && (!source.is_set("DATABASE_HOST") || !source.is_set("DATABASE_NAME"))) {
        source.fault("DATABASE_URL",
            "must be set to Strapi's PostgreSQL, e.g. postgres://user:password@host:5432/strapi (or Strapi's own "
            "DATABASE_HOST, DATABASE_NAME, DATABASE_USERNAME, DATABASE_PASSWORD)");
        return std::nullopt;
    }
    auto const faults_before = source.faults().size();
    auto const url = source.is_set("DATABASE_URL") ? source.secret_text("DATABASE_URL").reveal() : std::string{};
    if (url.starts_with("mysql") || url.starts_with("sqlite") || url.starts_with("file:")) {
        source.fault("DATABASE_URL", "is not a PostgreSQL URL; MySQL and SQLite are not supported");
        return std::nullopt;
    }
    auto settings = read_settings(source);
    if (!settings) {
        source.fault("DATABASE_URL", "cannot be read; write postgres://user:password@host:5432/database");
        return std::nullopt;
    }
    if (source.faults().size() > faults_before) return std::nullopt;
    try {
        auto followed = std::make_shared<followed_settings>(source, program, std::move(*settings));
        return [followed] { return followed->current(); };
    } catch (std::system_error const& error) {
        source.fault("DATABASE_SSL",
            std::string{"needs its certificates as files in memory, and creating one failed: "} + error.what());
        return std::nullopt;
    }
}

}
