#include "tests/support/site_database.hpp"

#include "common/postgres/conninfo.hpp"

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>
#include <stdexcept>

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

std::string file_text(std::string const& path)
{
    std::ifstream file{path};
    if (!file) throw std::runtime_error{"cannot read " + path};
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

// Hides the output of the command, which would make the output of the test hard to read.
class quiet_output
{
public:
    quiet_output()
        : kept_(std::cout.rdbuf(swallowed_.rdbuf()))
    {
    }
    ~quiet_output() { std::cout.rdbuf(kept_); }

private:
    std::stringstream swallowed_;
    std::streambuf* kept_;
};

}

bool have_postgres(char const* test)
{
    if (!environment_value("TEST_DATABASE_URL").empty()) return true;
    std::cout << "[skipped] " << test << ": TEST_DATABASE_URL names no PostgreSQL; tests/run starts one\n";
    return false;
}

site_database::site_database(setup wanted)
    : admin_url_(environment_value("TEST_DATABASE_URL"))
{
    static std::atomic<int> counter{0};
    name_ = "edges_" + std::to_string(::getpid()) + "_" + std::to_string(++counter);
    {
        pqxx::connection admin{admin_url_};
        pqxx::nontransaction{admin}.exec("create database " + name_ + " template template1");
    }
    auto const settings = postgres::parse_conninfo(admin_url_);
    if (!settings) throw std::runtime_error{"TEST_DATABASE_URL cannot be read"};
    conninfo_ = postgres::make_conninfo(*settings, "tests") + " dbname='" + name_ + "'";
    connection_.emplace(conninfo_);
    execute(file_text(TEST_STRAPI_TABLES));
    execute("set search_path to public"); // a dump sets it to nothing
    if (wanted == setup::tables_only) return;
    if (migrate() != 0) throw std::runtime_error{"migrate failed"};
}

int site_database::migrate(worker::commands::migrate_options const& options) const
{
    quiet_output const quiet;
    return worker::commands::migrate(config(), options);
}

site_database::~site_database()
{
    connection_.reset();
    try {
        pqxx::connection admin{admin_url_};
        pqxx::nontransaction{admin}.exec("drop database if exists " + name_ + " with (force)");
    } catch (pqxx::failure const& error) {
        std::cerr << "cannot drop " << name_ << ": " << error.what() << '\n';
    }
}

worker::strapi_store site_database::store(worker::store_settings settings) const
{
    return worker::strapi_store{[conninfo = conninfo_] { return conninfo; }, std::move(settings)};
}

worker::store_settings site_database::settings()
{
    worker::store_settings settings;
    settings.profile_types = {"user-profile", "api::member-profile.member-profile"};
    return settings;
}

worker::worker_config site_database::config() const
{
    worker::worker_config config;
    config.conninfo = [conninfo = conninfo_] { return conninfo; };
    config.store = settings();
    return config;
}

void site_database::execute(std::string const& sql) { pqxx::nontransaction{*connection_}.exec(sql); }

std::optional<std::string> site_database::value(std::string const& sql)
{
    pqxx::nontransaction work{*connection_};
    auto const rows = work.exec(sql);
    if (rows.empty() || rows[0][0].is_null()) return std::nullopt;
    return rows[0][0].as<std::string>();
}

std::int64_t site_database::count(std::string const& sql) { return std::stoll(value(sql).value_or("-1")); }

}
