#include "worker/apply/user_rows.hpp"

#include "common/postgres/session.hpp"
#include "common/postgres/sql_array.hpp"
#include "common/postgres/statement.hpp"
#include "worker/decide/document_id.hpp"

#include <map>
#include <unordered_map>

namespace clerk_strapi::worker
{

namespace
{

using postgres::sql_array;

strapi_row read_row(pqxx::row const& row)
{
    strapi_row found;
    found.id = row[0].as<std::int64_t>();
    found.document_id = row[2].as<std::string>("");
    found.email = row[3].as<std::string>("");
    found.username = row[4].as<std::string>("");
    if (!row[5].is_null()) found.full_name = row[5].as<std::string>();
    found.blocked = row[6].as<bool>(false);
    found.provider = row[7].as<std::string>("");
    return found;
}

void load_lost_rows(batch_context& context, std::vector<user_case*> const& users)
{
    sql_array clerk_ids, ids, document_ids;
    auto any = false;
    for (auto const* const user : users) {
        if (user->row || user->before.known != user_state::presence::present || !user->written.strapi_id) continue;
        clerk_ids.add(user->clerk_id);
        ids.add(*user->written.strapi_id);
        document_ids.add(user->written.document_id);
        any = true;
    }
    if (!any) return;
    for (auto const& row : postgres::exec_prepared(
             context.transaction, "read_lost_rows", clerk_ids.str(), ids.str(), document_ids.str())) {
        auto& user = context.cases.find(row[1].as<std::string>())->second;
        user.row = read_row(row);
        user.row->lost_clerk_id = true;
    }
}

std::string profile_statement(char const* name, std::size_t type)
{
    return std::string{name} + "_" + std::to_string(type);
}

// The columns of an UPDATE, one element per user.
struct row_columns
{
    sql_array ids, clerk_ids, emails, usernames, full_names, blocked, providers;
    std::size_t rows{0};

    void add(row_plan const& plan)
    {
        ids.add(plan.user->row->id);
        clerk_ids.add(plan.user->clerk_id);
        emails.add(plan.values.email);
        usernames.add(plan.values.username);
        full_names.add(plan.values.full_name);
        blocked.add(plan.blocked);
        providers.add(provider_clerk);
        ++rows;
    }

    pqxx::result write(pqxx::work& transaction, char const* statement) const
    {
        return postgres::exec_prepared(transaction, statement, ids.str(), clerk_ids.str(), emails.str(),
            usernames.str(), full_names.str(), blocked.str(), providers.str());
    }
};

using plans_by_id = std::unordered_map<std::string, row_plan*>;

// One statement per role.
void insert_with_role(batch_context& context, std::vector<row_plan*> const& plans, std::int64_t role_id)
{
    sql_array clerk_ids, document_ids, emails, usernames, full_names, blocked, created, providers;
    plans_by_id fresh;
    for (auto* const plan : plans) {
        auto& user = *plan->user;
        // A row that was removed by hand is inserted again with its former document id.
        if (user.written.document_id.empty()) user.written.document_id = user_document_id(user.clerk_id);
        clerk_ids.add(user.clerk_id);
        document_ids.add(user.written.document_id);
        emails.add(plan->values.email);
        usernames.add(plan->values.username);
        full_names.add(plan->values.full_name);
        blocked.add(plan->blocked.value_or(false));
        created.add(user.after.desired.created_at_ms);
        providers.add(provider_clerk);
        fresh.emplace(user.clerk_id, plan);
    }
    for (auto const& row :
        postgres::exec_prepared(context.transaction, "insert_users", clerk_ids.str(), document_ids.str(), emails.str(),
            usernames.str(), full_names.str(), blocked.str(), created.str(), providers.str(), role_id)) {
        auto& written = fresh.at(row[1].as<std::string>())->user->written;
        written.strapi_id = row[0].as<std::int64_t>();
        written.role_id = role_id;
    }
}

}

void load_rows(batch_context& context, std::vector<user_case*> const& users)
{
    sql_array ids;
    for (auto const* const user : users)
        ids.add(user->clerk_id);
    for (auto const& row : postgres::exec_prepared(context.transaction, "read_rows", ids.str()))
        context.cases.find(row[1].as<std::string>())->second.row = read_row(row);
    load_lost_rows(context, users);
    for (auto* const user : users) {
        if (user->row && !user->state_stored) user->before = state_of_unknown_row(*user->row);
        user->before.has_strapi_row = user->row.has_value();
    }
}

std::vector<strapi_row> lock_local_rows(batch_context& context, std::vector<std::int64_t> const& ids)
{
    sql_array wanted;
    for (auto const id : ids)
        wanted.add(id);
    std::vector<strapi_row> found;
    for (auto const& row : postgres::exec_prepared(context.transaction, "lock_local_rows", wanted.str()))
        found.push_back(read_row(row));
    return found;
}

void delete_users(batch_context& context, std::vector<std::int64_t> const& ids)
{
    if (ids.empty()) return;
    sql_array rows;
    for (auto const id : ids)
        rows.add(id);
    for (std::size_t type = 0; type < context.schema.profiles.size(); ++type)
        postgres::exec_prepared(context.transaction, profile_statement("delete_profiles", type), rows.str());
    postgres::exec_prepared(context.transaction, "delete_users", rows.str());
}

void block_users(batch_context& context, std::vector<blocked_row> const& rows)
{
    if (rows.empty()) return;
    sql_array ids, usernames, emails, providers;
    for (auto const& row : rows) {
        ids.add(row.id);
        usernames.add(row.username);
        emails.add(row.email);
        providers.add(provider_deleted);
    }
    for (std::size_t type = 0; type < context.schema.profiles.size(); ++type)
        postgres::exec_prepared(context.transaction, profile_statement("clear_profiles", type), ids.str());
    postgres::exec_prepared(
        context.transaction, "block_users", ids.str(), usernames.str(), emails.str(), providers.str());
}

void insert_users(batch_context& context, std::vector<row_plan>& plans, role_rows& roles)
{
    std::map<std::int64_t, std::vector<row_plan*>> by_role;
    for (auto& plan : plans) {
        if (plan.user->row) continue;
        auto const answer = roles.answer_for(*plan.user);
        plan.user->written.role_answer = answer;
        by_role[roles.id_of(answer)].push_back(&plan);
    }
    for (auto const& [role_id, fresh] : by_role)
        insert_with_role(context, fresh, role_id);
}

void update_users(batch_context& context, std::vector<row_plan> const& plans)
{
    row_columns columns;
    for (auto const& plan : plans) {
        auto& user = *plan.user;
        if (!user.row) continue;
        user.written.strapi_id = user.row->id;
        user.written.document_id = user.row->document_id;
        if (plan.rows_differ && !plan.linked) columns.add(plan);
    }
    if (columns.rows > 0) columns.write(context.transaction, "update_users");
}

void link_users(batch_context& context, std::vector<row_plan> const& plans)
{
    row_columns columns;
    sql_array own_ids, local_ids;
    std::vector<std::int64_t> given_up;
    for (auto const& plan : plans) {
        if (!plan.linked) continue;
        columns.add(plan);
        if (!plan.given_up) continue;
        own_ids.add(plan.given_up->id);
        local_ids.add(plan.user->row->id);
        given_up.push_back(plan.given_up->id);
    }
    if (columns.rows == 0) return;
    if (!given_up.empty()) {
        for (std::size_t type = 0; type < context.schema.profiles.size(); ++type)
            postgres::exec_prepared(
                context.transaction, profile_statement("move_profiles", type), own_ids.str(), local_ids.str());
        delete_users(context, given_up); // first: clerk_id is unique
    }
    columns.write(context.transaction, "link_users");
}

}
