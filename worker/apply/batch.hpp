#pragma once

// One batch inside one transaction: lock and load, fold by the pure rule, settle values, write set by set. strapi_store
// opens and commits the transaction; nothing here survives it.

#include "worker/apply/batch_parts.hpp"
#include "worker/apply/value_rows.hpp"
#include "worker/ports.hpp"

#include <map>
#include <string>
#include <vector>

#include <pqxx/pqxx>

namespace clerk_strapi::worker
{

class strapi_batch
{
public:
    strapi_batch(
        pqxx::work& transaction, strapi_schema const& schema, mapping_settings const& mapping, locks_to_take& locks)
        : context_{transaction, schema, mapping, locks}
    {
    }

    // Statements throw what libpqxx throws; a missing role, or a lock that must be taken first, throws
    // postgres::work_stopped.
    [[nodiscard]] apply_result apply(std::vector<user_event> const& events);
    void store_positions(std::vector<partition_position> const& positions);

private:
    using grants = std::map<std::string, claim_grant>;

    void load(std::vector<user_event> const& events);
    void remove_users(value_rows& values);
    void block_removed(grants const& granted);
    [[nodiscard]] row_plan plan_for(user_case& user) const;
    [[nodiscard]] std::vector<row_plan> plan_rows(std::vector<user_event> const& events, apply_result& result);
    void plan_neighbours(grants const& granted, std::vector<row_plan>& plans);
    void grant_values(grants const& granted, std::vector<row_plan>& plans, apply_result& result);
    void take_over_local_rows(grants const& granted, std::vector<row_plan>& plans);
    void correct_outcomes(std::vector<row_plan> const& plans, apply_result& result) const;

    batch_context context_;
};

}
