#pragma once

// user_store on Strapi's own PostgreSQL. Discovers the site's tables at first use and after each change, runs each
// batch as one transaction, and turns failures into outcomes. Keeps I2, I4, I7, I10. One thread uses one store; stop()
// may be called from another.

#include "common/postgres/session.hpp"
#include "worker/apply/batch.hpp"
#include "worker/apply/store_settings.hpp"
#include "worker/apply/strapi_sql.hpp"
#include "worker/ports.hpp"

#include <atomic>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace clerk_strapi::worker
{

// How a replay differs from live work. The merge rule is the same.
struct replay_mode
{
    bool write_again{false}; // writes the rows of every user in the events again, also if no event is newer
    bool roll_back{false}; // a dry run
};

class strapi_store : public user_store
{
public:
    strapi_store(postgres::session::conninfo_source conninfo, store_settings settings);

    [[nodiscard]] apply_result apply(
        std::vector<user_event> const& events, std::vector<partition_position> const& positions) override;

    // Applies events that were read again. Stores no position.
    [[nodiscard]] apply_result replay(std::vector<user_event> const& events, replay_mode mode);

    // The stored positions of this cluster; nullopt while the database is unavailable.
    [[nodiscard]] std::optional<std::vector<partition_position>> positions(std::string const& cluster);

    // How many dead letters of these extents were redriven or discarded; nullopt while the database is unavailable.
    [[nodiscard]] std::optional<std::int64_t> closed_dead_letters(
        std::string const& cluster, std::string const& topic, std::vector<partition_extent> const& extents);

    // Checks the site without writing: `applied` if it has everything that a run needs.
    [[nodiscard]] apply_result check();

    // Hash of the code and configuration that write rows now. Rows of another hash are written again.
    [[nodiscard]] std::string const& current_mapping() const { return mapping_.hash; }

    // Cancels the running statement. Further work ends at once as unavailable.
    void stop();

    // The discovered tables, after a successful check() or apply().
    [[nodiscard]] std::optional<strapi_schema> const& schema() const { return schema_; }

private:
    [[nodiscard]] apply_result run(std::function<apply_result(pqxx::work&)> const& body);
    void discover(pqxx::work& transaction);
    void require_roles(pqxx::work& transaction, strapi_schema const& schema) const;
    void check_for_changes(pqxx::work& transaction);
    void prepare_statements(postgres::any_connection& connection) const;
    void forget_schema();

    store_settings settings_;
    mapping_settings mapping_;
    postgres::session session_;
    std::optional<strapi_schema> schema_;
    std::string fingerprint_;
    std::chrono::steady_clock::time_point checked_at_;
    bool changed_{false}; // Strapi stored another schema than schema_
    std::atomic<bool> stopping_{false};
};

}
