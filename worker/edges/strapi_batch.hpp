#pragma once

// One batch inside one transaction: lock and load, fold by the pure rule, write set by set. strapi_store opens and
// commits the transaction; nothing here survives it.

#include "worker/core/fold.hpp"
#include "worker/core/strapi_mapping.hpp"
#include "worker/core/strapi_schema.hpp"
#include "worker/ports.hpp"

#include <string>
#include <unordered_set>
#include <vector>

#include <pqxx/pqxx>

namespace clerk_strapi::worker
{

enum class delete_policy {
    remove, // user, links and profiles go
    block, // the row stays, emptied of personal data and blocked
};

struct mapping_settings
{
    std::string placeholder_domain{"clerk.user"};
    delete_policy on_delete{delete_policy::remove};
    std::string hash; // of code and configuration: rows written under another one are written again
};

class strapi_batch
{
public:
    strapi_batch(pqxx::work& transaction, strapi_schema const& schema, mapping_settings const& mapping)
        : transaction_(transaction)
        , schema_(schema)
        , mapping_(mapping)
    {
    }

    // Statements throw what libpqxx throws; a missing default role throws postgres::work_stopped.
    [[nodiscard]] apply_result apply(std::vector<user_event> const& events);
    void store_positions(std::vector<partition_position> const& positions);

private:
    // What is to be written for one user whose rows must show his state.
    struct row_plan
    {
        user_case* user{nullptr};
        strapi_values values;
        std::optional<bool> blocked; // nothing: leave it as it is
        bool rows_differ{false};
        std::string name_before; // of the profiles; empty: not known
        std::string name_after;
    };

    void load_rows();
    void load_lost_rows();
    void remove_users();
    [[nodiscard]] std::vector<row_plan> plan_rows(apply_result& result);
    void settle_values(std::vector<row_plan>& plans, apply_result& result);
    [[nodiscard]] std::unordered_set<std::string> values_held_by_others(std::vector<row_plan*> const& claimants);
    void insert_users(std::vector<row_plan>& plans);
    void update_users(std::vector<row_plan> const& plans);
    void write_profiles(std::vector<row_plan>& plans);
    [[nodiscard]] std::vector<row_plan*> users_without_profile(std::size_t type, std::vector<row_plan>& plans);
    void relink_profiles(std::size_t type, std::vector<row_plan*>& without);
    void insert_profiles(std::size_t type, std::vector<row_plan*> const& plans);
    void rename_profiles(std::size_t type, std::vector<row_plan>& plans);
    void correct_outcomes(std::vector<row_plan> const& plans, apply_result& result) const;

    pqxx::work& transaction_;
    strapi_schema const& schema_;
    mapping_settings const& mapping_;
    user_cases cases_;
};

}
