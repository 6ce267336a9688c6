#include "worker/apply/role_rows.hpp"

#include "common/postgres/session.hpp"
#include "common/postgres/sql_array.hpp"
#include "common/postgres/statement.hpp"

#include <unordered_map>

namespace clerk_strapi::worker
{

namespace
{

using postgres::sql_array;

[[noreturn]] void stop_for(std::string what)
{
    throw postgres::work_stopped{{postgres::work_outcome::mismatched, "", std::move(what)}};
}

// The legacy plugin assigned Strapi's default role and stored no record of it.
bool has_legacy_role(row_plan const& plan) { return plan.user->row && !plan.user->state_stored && !plan.linked; }

}

std::string missing_role(std::string const& type)
{
    return "ROLE_MAP assigns the role '" + type
        + "', but Strapi has no role of that type; create it (Settings, Users & Permissions, Roles), or map to another";
}

std::optional<std::string> role_rows::answer_for(user_case const& user) const
{
    auto const& map = context_.mapping.roles;
    return map ? map->answer(user.after.desired.role_hints) : std::nullopt;
}

std::int64_t role_rows::id_of(std::optional<std::string> const& type)
{
    read_roles();
    if (!type) {
        if (!initial_)
            stop_for("Strapi's default role (Settings, Users & Permissions, Advanced) names no existing role");
        return *initial_;
    }
    auto const found = ids_.find(*type);
    if (found == ids_.end()) stop_for(missing_role(*type));
    return found->second;
}

void role_rows::read_roles()
{
    if (std::exchange(read_, true)) return;
    for (auto const& row : postgres::exec_prepared(context_.transaction, "roles")) {
        auto const id = row[0].as<std::int64_t>();
        ids_.try_emplace(row[1].as<std::string>(), id); // types are not unique in the database: use the first
        if (row[2].as<bool>() && !initial_) initial_ = id;
    }
}

void role_rows::replace_roles(std::vector<row_plan>& plans)
{
    sql_array users, before, after;
    std::unordered_map<std::int64_t, std::pair<row_plan*, std::int64_t>> changing; // by row, to which role
    for (auto& plan : plans) {
        auto& user = *plan.user;
        if (!user.row) continue; // insert_users assigns the role
        auto const answer = answer_for(user);
        if (has_legacy_role(plan) && context_.mapping.roles) {
            user.written.role_id = id_of(std::nullopt);
            user.written.role_answer.reset();
        }
        if (user.written.role_answer == answer) continue;
        user.written.role_answer = answer;
        if (!user.written.role_id) continue; // a linked row keeps its own role
        auto const role_id = id_of(answer);
        if (role_id == *user.written.role_id) continue;
        users.add(user.row->id);
        before.add(*user.written.role_id);
        after.add(role_id);
        changing.emplace(user.row->id, std::pair{&plan, role_id});
    }
    if (changing.empty()) return;
    for (auto const& row :
        postgres::exec_prepared(context_.transaction, "replace_roles", users.str(), before.str(), after.str())) {
        auto const& [plan, role_id] = changing.at(row[0].as<std::int64_t>());
        plan->user->written.role_id = role_id;
        plan->rows_differ = true;
    }
}

}
