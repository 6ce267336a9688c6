#include "worker/apply/profile_rows.hpp"

#include "common/postgres/sql_array.hpp"
#include "common/postgres/statement.hpp"
#include "worker/decide/document_id.hpp"

#include <set>
#include <unordered_map>

namespace clerk_strapi::worker
{

namespace
{

using postgres::sql_array;

std::vector<row_plan*> users_without_profile(batch_context& context, std::size_t type, std::vector<row_plan>& plans)
{
    std::vector<row_plan*> without;
    std::unordered_map<std::int64_t, row_plan*> known; // users whose row existed before this batch
    sql_array known_ids;
    for (auto& plan : plans) {
        if (!plan.user->row) {
            without.push_back(&plan);
            continue;
        }
        known.emplace(*plan.user->written.strapi_id, &plan);
        known_ids.add(*plan.user->written.strapi_id);
    }
    if (known.empty()) return without;
    for (auto const& row : postgres::exec_prepared(
             context.transaction, "users_without_profile_" + std::to_string(type), known_ids.str())) {
        auto* const plan = known.at(row[0].as<std::int64_t>());
        plan->rows_differ = true;
        without.push_back(plan);
    }
    return without;
}

// Also for users without stored state: after clerk_sync was rebuilt, their profiles may still exist.
void relink_profiles(batch_context& context, std::size_t type, std::vector<row_plan*>& without)
{
    if (without.empty()) return;
    sql_array users, document_ids;
    for (auto const* const plan : without) {
        users.add(*plan->user->written.strapi_id);
        document_ids.add(profile_document_id(plan->user->clerk_id, context.schema.profiles[type].uid));
    }
    std::set<std::int64_t> relinked;
    for (auto const& row : postgres::exec_prepared(
             context.transaction, "relink_profiles_" + std::to_string(type), users.str(), document_ids.str()))
        relinked.insert(row[0].as<std::int64_t>());
    std::erase_if(without, [&](row_plan const* plan) { return relinked.contains(*plan->user->written.strapi_id); });
}

void insert_profiles(batch_context& context, std::size_t type, std::vector<row_plan*> const& plans)
{
    if (plans.empty()) return;
    sql_array users, document_ids, names, created;
    for (auto const* const plan : plans) {
        users.add(*plan->user->written.strapi_id);
        document_ids.add(profile_document_id(plan->user->clerk_id, context.schema.profiles[type].uid));
        names.add(plan->name_after);
        created.add(plan->user->after.desired.created_at_ms);
    }
    postgres::exec_prepared(context.transaction, "insert_profiles_" + std::to_string(type), users.str(),
        document_ids.str(), names.str(), created.str());
}

void rename_profiles(batch_context& context, std::size_t type, std::vector<row_plan>& plans)
{
    sql_array users, before, after;
    auto any = false;
    for (auto& plan : plans) {
        if (plan.name_before.empty() || plan.name_before == plan.name_after) continue;
        plan.rows_differ = true;
        users.add(*plan.user->written.strapi_id);
        before.add(plan.name_before);
        after.add(plan.name_after);
        any = true;
    }
    if (any)
        postgres::exec_prepared(
            context.transaction, "rename_profiles_" + std::to_string(type), users.str(), before.str(), after.str());
}

}

void write_profiles(batch_context& context, std::vector<row_plan>& plans)
{
    for (std::size_t type = 0; type < context.schema.profiles.size(); ++type) {
        auto without = users_without_profile(context, type, plans);
        relink_profiles(context, type, without);
        insert_profiles(context, type, without);
        rename_profiles(context, type, plans);
    }
}

}
