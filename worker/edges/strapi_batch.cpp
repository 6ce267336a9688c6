#include "worker/edges/strapi_batch.hpp"

#include "common/core/sha256.hpp"
#include "common/postgres/session.hpp"
#include "common/postgres/sql_array.hpp"
#include "worker/core/document_id.hpp"
#include "worker/core/value_claims.hpp"
#include "worker/edges/state_rows.hpp"

#include <algorithm>
#include <cstring>
#include <set>
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

std::int64_t lock_key(std::string const& value)
{
    auto const digest = sha256("value:" + value);
    std::int64_t key = 0;
    std::memcpy(&key, digest.data(), sizeof key);
    return key;
}

bool lacks_row(user_case const& user) { return !user.row.has_value(); }

}

apply_result strapi_batch::apply(std::vector<user_event> const& events)
{
    apply_result result;
    if (events.empty()) return result;
    for (auto const& event : events)
        cases_[event.clerk_id].clerk_id = event.clerk_id;
    load_states(transaction_, mapping_.hash, cases_);
    load_rows();
    result.outcomes = fold_events(events, cases_);
    remove_users(); // before values are judged: what the deleted held is free
    auto plans = plan_rows(result);
    settle_values(plans, result);
    insert_users(plans);
    update_users(plans);
    write_profiles(plans);
    correct_outcomes(plans, result);
    store_states(transaction_, mapping_.hash, cases_);
    return result;
}

void strapi_batch::load_rows()
{
    sql_array ids;
    for (auto const& [id, user] : cases_)
        ids.add(id);
    for (auto const& row : transaction_.exec_prepared("read_rows", ids.str()))
        cases_.find(row[1].as<std::string>())->second.row = read_row(row);
    load_lost_rows();
    for (auto& [id, user] : cases_) {
        if (user.row && !user.state_stored) user.before = state_of_unknown_row(*user.row);
        user.before.has_strapi_row = user.row.has_value();
    }
}

void strapi_batch::load_lost_rows()
{
    sql_array clerk_ids;
    sql_array ids;
    sql_array document_ids;
    auto any = false;
    for (auto const& [id, user] : cases_) {
        if (user.row || user.before.known != user_state::presence::present || !user.gave.strapi_id) continue;
        clerk_ids.add(id);
        ids.add(*user.gave.strapi_id);
        document_ids.add(user.gave.document_id);
        any = true;
    }
    if (!any) return;
    for (auto const& row :
        transaction_.exec_prepared("read_lost_rows", clerk_ids.str(), ids.str(), document_ids.str())) {
        auto& user = cases_.find(row[1].as<std::string>())->second;
        user.row = read_row(row);
        user.row->lost_clerk_id = true;
    }
}

void strapi_batch::remove_users()
{
    sql_array ids;
    sql_array clerk_ids;
    sql_array emails;
    sql_array providers;
    auto any = false;
    for (auto& [id, user] : cases_) {
        if (user.effect != row_effect::remove) continue;
        if (user.row) {
            ids.add(user.row->id);
            clerk_ids.add(id);
            emails.add(placeholder_email(id, mapping_.placeholder_domain));
            providers.add(provider_deleted);
            any = true;
        }
        auto const document_id = user.gave.document_id;
        user.gave = {};
        user.gave.document_id = document_id;
    }
    if (!any) return;
    auto const keep_rows = mapping_.on_delete == delete_policy::block;
    for (std::size_t type = 0; type < schema_.profiles.size(); ++type)
        transaction_.exec_prepared(
            (keep_rows ? "clear_profiles_" : "delete_profiles_") + std::to_string(type), ids.str());
    if (keep_rows) {
        transaction_.exec_prepared("block_users", ids.str(), clerk_ids.str(), emails.str(), providers.str());
    } else {
        transaction_.exec_prepared("delete_users", ids.str());
    }
}

std::vector<strapi_batch::row_plan> strapi_batch::plan_rows(apply_result& result)
{
    std::vector<row_plan> plans;
    for (auto& [id, user] : cases_) {
        if (user.effect != row_effect::write) continue;
        row_plan plan;
        plan.user = &user;
        auto const& wishes = user.after.wishes;
        plan.values = map_to_strapi(id, wishes, mapping_.placeholder_domain);
        for (auto const field : plan.values.truncated)
            result.truncated.push_back(to_string(field));
        plan.name_after = profile_name(id, wishes);
        if (user.row) {
            // Unknown: what the seed wrote, which was the full name when there was one.
            plan.name_before = user.gave.profile_name.value_or(user.row->full_name.value_or(""));
            plan.blocked = settle_block(user);
        } else {
            plan.name_before = user.gave.profile_name.value_or(""); // profiles that outlived the row
            plan.blocked = wishes.banned;
            user.gave.blocked_by_us = wishes.banned;
        }
        user.gave.profile_name = plan.name_after;
        plans.push_back(std::move(plan));
    }
    return plans;
}

std::unordered_set<std::string> strapi_batch::values_held_by_others(std::vector<row_plan*> const& claimants)
{
    std::set<std::int64_t> keys;
    sql_array values;
    sql_array own_ids;
    for (auto const* const plan : claimants) {
        for (auto const* const value : {&plan->values.email, &plan->values.username}) {
            keys.insert(lock_key(*value));
            values.add(*value);
        }
        if (plan->user->row) own_ids.add(plan->user->row->id);
    }
    sql_array sorted_keys;
    for (auto const key : keys)
        sorted_keys.add(key);
    transaction_.exec_prepared("lock_values", sorted_keys.str());
    std::unordered_set<std::string> held;
    for (auto const& row : transaction_.exec_prepared("held_values", values.str(), own_ids.str()))
        held.insert(row[0].as<std::string>());
    return held;
}

void strapi_batch::settle_values(std::vector<row_plan>& plans, apply_result& result)
{
    std::vector<row_plan*> claimants;
    std::vector<value_claim> claims;
    for (auto& plan : plans) {
        auto const& row = plan.user->row;
        if (row && row->email == plan.values.email && row->username == plan.values.username) continue;
        claimants.push_back(&plan);
        auto const& after = plan.user->after;
        claims.push_back({plan.user->clerk_id, plan.values, after.wishes.email_verified, after.version});
    }
    if (!claims.empty()) {
        auto const grants = settle_claims(claims, values_held_by_others(claimants), mapping_.placeholder_domain);
        for (std::size_t i = 0; i < grants.size(); ++i) {
            claimants[i]->values.email = grants[i].email;
            claimants[i]->values.username = grants[i].username;
            result.emails_taken += grants[i].email_taken ? 1 : 0;
            result.usernames_taken += grants[i].username_taken ? 1 : 0;
        }
    }
    for (auto& plan : plans) {
        auto const& row = plan.user->row;
        plan.rows_differ = !row || row->lost_clerk_id || row->provider.empty() || row->email != plan.values.email
            || row->username != plan.values.username || row->full_name != plan.values.full_name
            || plan.blocked.has_value();
    }
}

void strapi_batch::insert_users(std::vector<row_plan>& plans)
{
    sql_array clerk_ids, document_ids, emails, usernames, full_names, blocked, created, providers;
    std::unordered_map<std::string, row_plan*> fresh;
    for (auto& plan : plans) {
        auto& user = *plan.user;
        if (!lacks_row(user)) continue;
        // A row that was removed by hand comes back with the document id it had.
        if (user.gave.document_id.empty()) user.gave.document_id = user_document_id(user.clerk_id);
        clerk_ids.add(user.clerk_id);
        document_ids.add(user.gave.document_id);
        emails.add(plan.values.email);
        usernames.add(plan.values.username);
        full_names.add(plan.values.full_name);
        blocked.add(plan.blocked.value_or(false));
        created.add(user.after.wishes.created_at_ms);
        providers.add(provider_clerk);
        fresh.emplace(user.clerk_id, &plan);
    }
    if (fresh.empty()) return;
    auto const roles = transaction_.exec_prepared("default_role");
    if (roles.empty())
        throw postgres::work_stopped{{postgres::work_outcome::mismatched, "",
            "Strapi's default role (Settings, Users & Permissions, Advanced) names no existing role"}};
    auto const role_id = roles[0][0].as<std::int64_t>();
    for (auto const& row : transaction_.exec_prepared("insert_users", clerk_ids.str(), document_ids.str(), emails.str(),
             usernames.str(), full_names.str(), blocked.str(), created.str(), providers.str(), role_id)) {
        auto& gave = fresh.at(row[1].as<std::string>())->user->gave;
        gave.strapi_id = row[0].as<std::int64_t>();
        gave.role_id = role_id;
    }
}

void strapi_batch::update_users(std::vector<row_plan> const& plans)
{
    sql_array ids, clerk_ids, emails, usernames, full_names, blocked, providers;
    auto any = false;
    for (auto const& plan : plans) {
        auto& user = *plan.user;
        if (lacks_row(user)) continue;
        user.gave.strapi_id = user.row->id;
        user.gave.document_id = user.row->document_id;
        if (!plan.rows_differ) continue;
        ids.add(user.row->id);
        clerk_ids.add(user.clerk_id);
        emails.add(plan.values.email);
        usernames.add(plan.values.username);
        full_names.add(plan.values.full_name);
        blocked.add(plan.blocked);
        providers.add(provider_clerk);
        any = true;
    }
    if (any)
        transaction_.exec_prepared("update_users", ids.str(), clerk_ids.str(), emails.str(), usernames.str(),
            full_names.str(), blocked.str(), providers.str());
}

void strapi_batch::write_profiles(std::vector<row_plan>& plans)
{
    for (std::size_t type = 0; type < schema_.profiles.size(); ++type) {
        auto without = users_without_profile(type, plans);
        relink_profiles(type, without);
        insert_profiles(type, without);
        rename_profiles(type, plans);
    }
}

std::vector<strapi_batch::row_plan*> strapi_batch::users_without_profile(std::size_t type, std::vector<row_plan>& plans)
{
    std::vector<row_plan*> without;
    std::unordered_map<std::int64_t, row_plan*> known; // users whose row was there before this batch
    sql_array known_ids;
    for (auto& plan : plans) {
        if (lacks_row(*plan.user)) {
            without.push_back(&plan);
            continue;
        }
        known.emplace(*plan.user->gave.strapi_id, &plan);
        known_ids.add(*plan.user->gave.strapi_id);
    }
    if (known.empty()) return without;
    for (auto const& row :
        transaction_.exec_prepared("users_without_profile_" + std::to_string(type), known_ids.str())) {
        auto* const plan = known.at(row[0].as<std::int64_t>());
        plan->rows_differ = true;
        without.push_back(plan);
    }
    return without;
}

// Also for users whom we do not know: after a rebuild of our state their profiles may still be there.
void strapi_batch::relink_profiles(std::size_t type, std::vector<row_plan*>& without)
{
    if (without.empty()) return;
    sql_array users, document_ids;
    for (auto const* const plan : without) {
        users.add(*plan->user->gave.strapi_id);
        document_ids.add(profile_document_id(plan->user->clerk_id, schema_.profiles[type].uid));
    }
    std::set<std::int64_t> relinked;
    for (auto const& row :
        transaction_.exec_prepared("relink_profiles_" + std::to_string(type), users.str(), document_ids.str()))
        relinked.insert(row[0].as<std::int64_t>());
    std::erase_if(without, [&](row_plan const* plan) { return relinked.contains(*plan->user->gave.strapi_id); });
}

void strapi_batch::insert_profiles(std::size_t type, std::vector<row_plan*> const& plans)
{
    if (plans.empty()) return;
    sql_array users, document_ids, names, created;
    for (auto const* const plan : plans) {
        users.add(*plan->user->gave.strapi_id);
        document_ids.add(profile_document_id(plan->user->clerk_id, schema_.profiles[type].uid));
        names.add(plan->name_after);
        created.add(plan->user->after.wishes.created_at_ms);
    }
    transaction_.exec_prepared(
        "insert_profiles_" + std::to_string(type), users.str(), document_ids.str(), names.str(), created.str());
}

void strapi_batch::rename_profiles(std::size_t type, std::vector<row_plan>& plans)
{
    sql_array users, before, after;
    auto any = false;
    for (auto& plan : plans) {
        if (plan.name_before.empty() || plan.name_before == plan.name_after) continue;
        plan.rows_differ = true;
        users.add(*plan.user->gave.strapi_id);
        before.add(plan.name_before);
        after.add(plan.name_after);
        any = true;
    }
    if (any)
        transaction_.exec_prepared("rename_profiles_" + std::to_string(type), users.str(), before.str(), after.str());
}

// The fold saw wishes; only the rows tell whether anything was written.
void strapi_batch::correct_outcomes(std::vector<row_plan> const& plans, apply_result& result) const
{
    for (auto const& plan : plans) {
        auto& outcome = result.outcomes[*plan.user->deciding_event];
        if (outcome == event_outcome::unchanged && plan.rows_differ) outcome = event_outcome::updated;
        if (outcome == event_outcome::updated && !plan.rows_differ) outcome = event_outcome::unchanged;
    }
}

void strapi_batch::store_positions(std::vector<partition_position> const& positions)
{
    if (positions.empty()) return;
    sql_array clusters, topics, partitions, values;
    for (auto const& position : positions) {
        clusters.add(position.cluster);
        topics.add(position.topic);
        partitions.add(std::int64_t{position.partition});
        values.add(position.next);
    }
    transaction_.exec_prepared("put_positions", clusters.str(), topics.str(), partitions.str(), values.str());
}

}
