#pragma once

// user_store on Strapi's own PostgreSQL. Discovers the site's tables at the first work and whenever Strapi changed
// them, runs each batch as one transaction, and turns what went wrong into an outcome. Keeps I2, I4, I7, I10.
// One thread uses one store; stop() may come from another.

#include "common/postgres/session.hpp"
#include "worker/apply/batch.hpp"
#include "worker/apply/strapi_sql.hpp"
#include "worker/ports.hpp"

#include <atomic>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace clerk_strapi::worker
{

struct store_settings
{
    std::vector<std::string> profile_types;
    sql_settings sql;
    std::string placeholder_domain{"clerk.user"};
    delete_policy on_delete{delete_policy::remove};
    email_conflict on_conflict{email_conflict::link};
    std::optional<role_map> roles;
    std::string roles_text; // as configured: part of the mapping's hash
};

// How a replay differs from live work; the rule is the same.
struct replay_mode
{
    bool write_again{false}; // rows of users who are met show their state again, also when nothing is newer
    bool roll_back{false}; // only look what would happen
};

class strapi_store : public user_store
{
public:
    strapi_store(postgres::session::conninfo_source conninfo, store_settings settings);

    [[nodiscard]] apply_result apply(
        std::vector<user_event> const& events, std::vector<partition_position> const& positions) override;

    // Applies events that were read again; moves no position.
    [[nodiscard]] apply_result replay(std::vector<user_event> const& events, replay_mode mode);

    // The next offsets that are known of this cluster; nothing when the database cannot say.
    [[nodiscard]] std::optional<std::vector<partition_position>> positions(std::string const& cluster);

    // How many letters of these stretches of the dead-letter topic a person has dealt with; nothing when the database
    // cannot say.
    [[nodiscard]] std::optional<std::int64_t> closed_letters(
        std::string const& cluster, std::string const& topic, std::vector<log_extent> const& extents);

    // Looks at the site without writing: applied when everything a run needs is there.
    [[nodiscard]] apply_result check();

    // Of the code and configuration that write rows now; rows of another one are written again at an occasion.
    [[nodiscard]] std::string const& current_mapping() const { return mapping_.hash; }

    // Cancels what is running and makes further work end at once as unavailable.
    void stop();

    // What was discovered, after a successful check() or apply().
    [[nodiscard]] std::optional<strapi_schema> const& schema() const { return schema_; }

private:
    [[nodiscard]] apply_result run(std::function<apply_result(pqxx::work&)> const& body);
    void discover(pqxx::work& transaction);
    void require_roles(pqxx::work& transaction, strapi_schema const& schema) const;
    void look_for_changes(pqxx::work& transaction);
    void prepare_statements(postgres::any_connection& connection) const;
    void forget_schema();

    store_settings settings_;
    mapping_settings mapping_;
    postgres::session session_;
    std::optional<strapi_schema> schema_;
    std::string fingerprint_;
    std::chrono::steady_clock::time_point looked_at_;
    bool changed_{false}; // Strapi stored another schema than the one we know
    std::atomic<bool> stopping_{false};
};

}
