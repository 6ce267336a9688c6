#include "worker/apply/batch.hpp"

#include "common/postgres/session.hpp"
#include "common/postgres/sql_array.hpp"
#include "common/postgres/statement.hpp"
#include "worker/apply/profile_rows.hpp"
#include "worker/apply/role_rows.hpp"
#include "worker/apply/state_rows.hpp"
#include "worker/apply/user_rows.hpp"

#include <algorithm>
#include <set>
#include <unordered_map>

namespace clerk_strapi::worker
{

namespace
{

using postgres::sql_array;

// Rule C12: this user's values cannot change, so no other user has to be read. True of nearly all updates.
bool keeps_values(row_plan const& plan)
{
    auto const& user = *plan.user;
    auto const& before = user.before;
    auto const& after = user.after;
    auto const known = user.state_stored && before.known == user_state::presence::present && !before.mapping_changed;
    auto const desires_the_same =
        before.desired.email == after.desired.email && before.desired.username == after.desired.username;
    auto const lost_verification = before.desired.email_verified && !after.desired.email_verified;
    return known && desires_the_same && !lost_verification && user.written.waits_for.empty() && user.row
        && user.row->email == plan.values.email && user.row->username == plan.values.username;
}

bool contains(std::vector<std::string> const& sorted, std::string const& value)
{
    return std::binary_search(sorted.begin(), sorted.end(), value);
}

struct field_values
{
    std::string const& desired;
    std::string const& assigned;
    std::string shown; // by the row until now
    bool link_prevented{false}; // of an e-mail, since this event
};

// What is counted for one field. Each conflict is counted once: when it begins and when it ends.
std::optional<conflict_decision> decision_of(field_values const& values, std::vector<std::string> const& waited_for)
{
    auto const waited = contains(waited_for, values.desired);
    if (values.assigned == values.desired) return waited ? std::optional{conflict_decision::healed} : std::nullopt;
    if (values.link_prevented) return conflict_decision::not_linked;
    if (waited) return std::nullopt;
    return values.shown == values.desired ? conflict_decision::displaced : conflict_decision::placeholder;
}

void add_decisions(row_plan const& plan, assigned_values const& assigned, std::vector<conflict>& conflicts)
{
    auto const& [user, desired] = std::tie(*plan.user, plan.values);
    auto const shown = user.row.value_or(strapi_row{});
    auto const& waited_for = user.written.waits_for;
    auto const newly_verified = !user.before.desired.email_verified || !contains(waited_for, desired.email);
    auto const email = assigned.linked_row
        ? std::optional{conflict_decision::linked}
        : decision_of(
            {desired.email, assigned.email, shown.email, assigned.link_prevented && newly_verified}, waited_for);
    if (email) conflicts.push_back({value_field::email, *email});
    auto const username = decision_of({desired.username, assigned.username, shown.username}, waited_for);
    if (username) conflicts.push_back({value_field::username, *username});
}

}

apply_result strapi_batch::apply(std::vector<user_event> const& events)
{
    apply_result result;
    if (events.empty()) return result;
    load(events);
    result.outcomes = fold_events(events, context_.cases);
    value_rows values{context_};
    remove_users(values); // first, so that the values of deleted users can be assigned
    auto plans = plan_rows(events, result);
    for (auto const& plan : plans) {
        if (!keeps_values(plan)) values.add(*plan.user);
    }
    auto const assigned = values.assign();
    plan_affected_users(assigned, plans);
    use_assigned_values(assigned, plans, result);
    block_removed(assigned);
    role_rows roles{context_};
    roles.replace_roles(plans);
    link_users(context_, plans);
    insert_users(context_, plans, roles);
    update_users(context_, plans);
    write_profiles(context_, plans);
    correct_outcomes(plans, result);
    store_states(context_.transaction, context_.mapping.hash, context_.cases);
    return result;
}

void strapi_batch::load(std::vector<user_event> const& events)
{
    for (auto const& event : events)
        context_.cases[event.clerk_id].clerk_id = event.clerk_id;
    load_states(context_.transaction, context_.mapping.hash, context_.cases, context_.locks.clerk_ids);
    std::vector<user_case*> users;
    for (auto& [id, user] : context_.cases)
        users.push_back(&user);
    load_rows(context_, users);
}

void strapi_batch::remove_users(value_rows& values)
{
    std::vector<std::int64_t> ids;
    for (auto& [id, user] : context_.cases) {
        if (user.effect != row_effect::remove) continue;
        auto const stays = user.row && context_.mapping.on_delete == delete_policy::block;
        if (stays) {
            values.add_blocked(user, *user.row);
        } else {
            values.release(user);
            if (user.row) ids.push_back(user.row->id);
        }
        auto const document_id = user.written.document_id;
        user.written = {};
        user.written.document_id = document_id;
    }
    delete_users(context_, ids);
}

void strapi_batch::block_removed(assignments const& assigned)
{
    if (context_.mapping.on_delete != delete_policy::block) return;
    std::vector<blocked_row> rows;
    for (auto const& [id, user] : context_.cases) {
        if (user.effect != row_effect::remove || !user.row) continue;
        auto const& values = assigned.at(id);
        rows.push_back({user.row->id, values.email, values.username});
    }
    block_users(context_, rows);
}

row_plan strapi_batch::plan_for(user_case& user) const
{
    row_plan plan;
    plan.user = &user;
    auto const& desired = user.after.desired;
    plan.values = map_to_strapi(user.clerk_id, desired, context_.mapping.placeholder_domain);
    plan.name_after = profile_name(user.clerk_id, desired);
    if (user.row) {
        // The worker has no record of a name: the legacy plugin wrote the full name when there was one.
        plan.name_before = user.written.profile_name.value_or(user.row->full_name.value_or(""));
        plan.blocked = decide_block(user);
    } else {
        plan.name_before = user.written.profile_name.value_or(""); // of profiles whose user row was removed
        plan.blocked = desired.banned;
        user.written.blocked_by_us = desired.banned;
    }
    user.written.profile_name = plan.name_after;
    return plan;
}

std::vector<row_plan> strapi_batch::plan_rows(std::vector<user_event> const& events, apply_result& result)
{
    std::vector<row_plan> plans;
    for (auto& [id, user] : context_.cases) {
        if (user.effect != row_effect::write) continue;
        plans.push_back(plan_for(user));
        for (auto const field : plans.back().values.truncated)
            result.truncated.push_back(to_string(field));
        if (!user.deciding_event) continue;
        auto const& event = events[*user.deciding_event];
        if (event.version != user.after.version) continue; // an older event that repaired the rows
        for (auto const field : event.replaced)
            result.replaced.push_back(to_string(field));
    }
    return plans;
}

// Users without an effective event in this batch, whose values change because another user's did (rule C10).
void strapi_batch::plan_affected_users(assignments const& assigned, std::vector<row_plan>& plans)
{
    for (auto const& [id, values] : assigned) {
        auto& user = context_.cases.at(id);
        if (user.effect != row_effect::nothing) continue;
        auto const shows = user.row->email == values.email && user.row->username == values.username;
        if (shows && user.written.waits_for == values.waits_for && !values.linked_row) continue;
        user.effect = row_effect::write;
        plans.push_back(plan_for(user));
    }
}

void strapi_batch::use_assigned_values(assignments const& assigned, std::vector<row_plan>& plans, apply_result& result)
{
    for (auto& plan : plans) {
        auto const found = assigned.find(plan.user->clerk_id);
        if (found == assigned.end()) continue;
        add_decisions(plan, found->second, result.conflicts);
        plan.values.email = found->second.email;
        plan.values.username = found->second.username;
        plan.user->written.waits_for = found->second.waits_for;
    }
    take_over_local_rows(assigned, plans);
    for (auto& plan : plans) {
        auto const& row = plan.user->row;
        plan.rows_differ = plan.linked || !row || row->lost_clerk_id || row->provider.empty()
            || row->email != plan.values.email || row->username != plan.values.username
            || row->full_name != plan.values.full_name || plan.blocked.has_value();
    }
}

void strapi_batch::take_over_local_rows(assignments const& assigned, std::vector<row_plan>& plans)
{
    std::map<std::int64_t, row_plan*> taking;
    for (auto& plan : plans) {
        auto const found = assigned.find(plan.user->clerk_id);
        if (found != assigned.end() && found->second.linked_row) taking.emplace(*found->second.linked_row, &plan);
    }
    if (taking.empty()) return;
    std::vector<std::int64_t> ids;
    ids.reserve(taking.size());
    for (auto const& [id, plan] : taking)
        ids.push_back(id);
    for (auto& row : lock_local_rows(context_, ids)) {
        auto& plan = *taking.at(row.id);
        auto& user = *plan.user;
        if (row.email != plan.values.email) break; // rule L6
        taking.erase(row.id);
        plan.linked = true;
        plan.given_up = std::exchange(user.row, std::move(row));
        if (!plan.given_up) plan.name_before = user.row->full_name.value_or("");
        auto const banned = user.after.desired.banned;
        user.written.blocked_by_us = banned && !user.row->blocked; // an administrator's block stays
        plan.blocked = user.written.blocked_by_us ? std::optional{true} : std::nullopt;
        user.written.role_id.reset(); // the worker did not assign the local row's role
    }
    if (!taking.empty())
        throw postgres::work_stopped{
            {postgres::work_outcome::raced, "", "a local user changed during the transaction"}};
}

// The fold compares desired values. Whether a column was written is known only now.
void strapi_batch::correct_outcomes(std::vector<row_plan> const& plans, apply_result& result) const
{
    for (auto const& plan : plans) {
        if (!plan.user->deciding_event) continue; // of plan_affected_users
        auto& outcome = result.outcomes[*plan.user->deciding_event];
        if (outcome == event_outcome::unchanged && plan.rows_differ) outcome = event_outcome::updated;
        if (outcome == event_outcome::updated && !plan.rows_differ) outcome = event_outcome::unchanged;
        if (outcome == event_outcome::created && plan.linked) outcome = event_outcome::adopted;
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
    postgres::exec_prepared(
        context_.transaction, "put_positions", clusters.str(), topics.str(), partitions.str(), values.str());
}

}
