#pragma once

// A migrated database for one test, with the tables of a Strapi with our plugin and two profile types. It needs the
// PostgreSQL that tests/run starts and names in TEST_DATABASE_URL; without it, tests report that they were skipped.

#include "worker/apply/store.hpp"
#include "worker/config.hpp"
#include "worker/operate/commands.hpp"

#include <optional>
#include <string>

#include <pqxx/pqxx>

namespace clerk_strapi::tests
{

// True when there is a PostgreSQL. Else prints the line that the runner counts as a skip.
[[nodiscard]] bool have_postgres(char const* test);

class site_database
{
public:
    enum class setup { migrated, tables_only };

    explicit site_database(setup wanted = setup::migrated);
    ~site_database();
    site_database(site_database const&) = delete;
    site_database& operator=(site_database const&) = delete;

    [[nodiscard]] std::string const& conninfo() const { return conninfo_; }
    [[nodiscard]] worker::strapi_store store(worker::store_settings settings) const;
    // Both profile types, and the defaults.
    [[nodiscard]] static worker::store_settings settings();
    [[nodiscard]] worker::worker_config config() const;

    // Runs `clerk-worker migrate` without its output and returns the exit code.
    [[nodiscard]] int migrate(worker::commands::migrate_options const& options = {}) const;
    void execute(std::string const& sql);
    // One value as text; nothing for NULL or no row.
    [[nodiscard]] std::optional<std::string> value(std::string const& sql);
    [[nodiscard]] std::int64_t count(std::string const& sql);

private:
    std::string admin_url_;
    std::string name_;
    std::string conninfo_;
    std::optional<pqxx::connection> connection_;
};

}
