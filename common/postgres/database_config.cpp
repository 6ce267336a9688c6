#include "common/postgres/database_config.hpp"

#include "common/postgres/conninfo.hpp"
#include "common/runtime/logging.hpp"

#include <memory>
#include <mutex>
#include <utility>

namespace clerk_strapi::postgres
{
namespace
{

std::optional<std::string> conninfo_of(config_source& source, std::string const& program)
{
    if (source.is_set("DATABASE_URL")) {
        auto const url = source.secret_text("DATABASE_URL");
        if (url.empty()) return std::nullopt; // a file that is being written: libpq would take it for "the default"
        return make_conninfo(url.reveal(), program);
    }
    database_parts parts;
    parts.host = source.text("DATABASE_HOST");
    parts.port = source.text("DATABASE_PORT");
    parts.name = source.text("DATABASE_NAME");
    parts.username = source.text("DATABASE_USERNAME");
    parts.password = source.secret_text("DATABASE_PASSWORD").reveal();
    // Nobody names a file for no password: it is being written, or was mounted empty.
    if (parts.password.empty() && source.file_of("DATABASE_PASSWORD"))
        source.fault("DATABASE_PASSWORD_FILE", "names an empty file: write the password, or unset it");
    parts.ssl = source.boolean("DATABASE_SSL");
    return make_conninfo(parts, program);
}

struct following
{
    following(config_source const& from, std::string name, std::string good)
        : source{from}
        , program{std::move(name)}
        , last_good{std::move(good)}
    {
    }

    std::mutex mutex; // several connections may ask at once
    config_source source;
    std::string program;
    std::string last_good;
    bool told{false}; // that the last good one is still used
};

void tell_kept(following& state, std::string_view fault)
{
    if (std::exchange(state.told, true)) return;
    log::error("the file with the way to the database cannot be used, the last one stays", {{"fault", fault}});
}

void tell_fresh(following& state)
{
    state.told = false;
    log::info("the way to the database was read again");
}

session::conninfo_source following_conninfo(config_source const& source, std::string const& program, std::string first)
{
    return [state = std::make_shared<following>(source, program, std::move(first))] {
        std::lock_guard const lock{state->mutex};
        auto fresh = state->source; // its faults end with it
        auto const faults_before = fresh.faults().size();
        auto conninfo = conninfo_of(fresh, state->program);
        if (fresh.faults().size() > faults_before) {
            tell_kept(*state, fresh.faults().back());
        } else if (!conninfo) {
            tell_kept(*state, "DATABASE_URL_FILE holds no URL of a database");
        } else if (*conninfo != state->last_good) {
            state->last_good = std::move(*conninfo);
            tell_fresh(*state);
        } else {
            state->told = false;
        }
        return state->last_good;
    };
}

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
    auto const url = source.is_set("DATABASE_URL") ? source.secret_text("DATABASE_URL").reveal() : std::string{};
    if (url.starts_with("mysql") || url.starts_with("sqlite") || url.starts_with("file:")) {
        source.fault("DATABASE_URL", "names no PostgreSQL; MySQL and SQLite are not supported");
        return std::nullopt;
    }
    auto const conninfo = conninfo_of(source, program);
    if (!conninfo) {
        source.fault("DATABASE_URL", "cannot be read; write postgres://user:password@host:5432/database");
        return std::nullopt;
    }
    return following_conninfo(source, program, *conninfo);
}

}
