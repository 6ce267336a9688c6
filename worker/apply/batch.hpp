#pragma once

// One batch in one transaction: lock and load, fold by the merge rule, assign values, write one statement per table.
// strapi_store opens and commits the transaction; no object of this file lives longer.

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

    // Throws what libpqxx throws; postgres::work_stopped for a missing role, and for a lock that only a new try can
    // take (rule L4 of worker/decide/README.md).
    [[nodiscard]] apply_result apply(std::vector<user_event> const& events);
    void store_positions(std::vector<partition_position> const& positions);

private:
    using assignments = std::map<std::string, assigned_values>; // by Clerk id

    void load(std::vector<user_event> const& events);
    void remove_users(value_rows& values);
    void block_removed(assignments const& assigned);
    [[nodiscard]] row_plan plan_for(user_case& user) const;
    [[nodiscard]] std::vector<row_plan> plan_rows(std::vector<user_event> const& events, apply_result& result);
    void plan_affected_users(assignments const& assigned, std::vector<row_plan>& plans);
    void use_assigned_values(assignments const& assigned, std::vector<row_plan>& plans, apply_result& result);
    void take_over_local_rows(assignments const& assigned, std::vector<row_plan>& plans);
    void correct_outcomes(std::vector<row_plan> const& plans, apply_result& result) const;

    batch_context context_;
};

}
