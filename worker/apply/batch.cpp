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

// He has what he asks for, nobody who asks for the same went before him, and nothing about his claim got weaker: a
// newer version only strengthens it. Nearly all updates are so, and need no look at anybody else.
bool keeps_his_values(row_plan const& plan)
{
    auto const& user = *plan.user;
    auto const& before = user.before;
    auto const& after = user.after;
    auto const known = user.state_stored && before.known == user_state::presence::present && !before.mapping_changed;
    auto const asks_the_same =
        before.wishes.email == after.wishes.email && before.wishes.username == after.wishes.username;
    auto const got_weaker = before.wishes.email_verified && !after.wishes.email_verified;
    return known && asks_the_same && !got_weaker && user.gave.waits_for.empty() && user.row
        && user.row->email == plan.values.email && user.row->username == plan.values.username;
}

bool contains(std::vector<std::string> const& sorted, std::string const& value)
{
    return std::binary_search(sorted.begin(), sorted.end(), value);
}

struct field_values
{
    std::string const& asked;
    std::string const& granted;
    std::string shown; // by the row until now
    bool link_missed{false}; // an e-mail that was his to link, since this very event
};

// What became of one field, if it is worth a word.
std::optional<conflict_decision> decision_of(field_values const& values, std::vector<std::string> const& waited_for)
{
    auto const waited = contains(waited_for, values.asked);
    if (values.granted == values.asked) return waited ? std::optional{conflict_decision::healed} : std::nullopt;
    if (values.link_missed) return conflict_decision::not_linked;
    if (waited) return std::nullopt; // said when it began
    return values.shown == values.asked ? conflict_decision::displaced : conflict_decision::placeholder;
}

void add_decisions(row_plan const& plan, claim_grant const& grant, std::vector<conflict>& conflicts)
{
    auto const& [user, asked] = std::tie(*plan.user, plan.values);
    auto const shown = user.row.value_or(strapi_row{});
    auto const& waited_for = user.gave.waits_for;
    auto const newly_verified = !user.before.wishes.email_verified || !contains(waited_for, asked.email);
    auto const email = grant.linked_row
        ? std::optional{conflict_decision::linked}
        : decision_of({asked.email, grant.email, shown.email, grant.link_missed && newly_verified}, waited_for);
    if (email) conflicts.push_back({claim_field::email, *email});
    auto const username = decision_of({asked.username, grant.username, shown.username}, waited_for);
    if (username) conflicts.push_back({claim_field::username, *username});
}

}

apply_result strapi_batch::apply(std::vector<user_event> const& events)
{
    apply_result result;
    if (events.empty()) return result;
    load(events);
    result.outcomes = fold_events(events, context_.cases);
    value_rows values{context_};
    remove_users(values); // before values are judged: what the deleted held is free
    auto plans = plan_rows(events, result);
    for (auto const& plan : plans) {
        if (!keeps_his_values(plan)) values.ask(*plan.user);
    }
    auto const granted = values.settle();
    plan_neighbours(granted, plans);
    grant_values(granted, plans, result);
    block_removed(granted);
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
            values.ask_for_blocked(user, *user.row);
        } else {
            values.leave(user);
            if (user.row) ids.push_back(user.row->id);
        }
        auto const document_id = user.gave.document_id;
        user.gave = {};
        user.gave.document_id = document_id;
    }
    delete_users(context_, ids);
}

void strapi_batch::block_removed(grants const& granted)
{
    if (context_.mapping.on_delete != delete_policy::block) return;
    std::vector<blocked_row> rows;
    for (auto const& [id, user] : context_.cases) {
        if (user.effect != row_effect::remove || !user.row) continue;
        auto const& grant = granted.at(id);
        rows.push_back({user.row->id, grant.email, grant.username});
    }
    block_users(context_, rows);
}

row_plan strapi_batch::plan_for(user_case& user) const
{
    row_plan plan;
    plan.user = &user;
    auto const& wishes = user.after.wishes;
    plan.values = map_to_strapi(user.clerk_id, wishes, context_.mapping.placeholder_domain);
    plan.name_after = profile_name(user.clerk_id, wishes);
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
        if (event.version != user.after.version) continue; // old news, which had the newer wishes written again
        for (auto const field : event.replaced)
            result.replaced.push_back(to_string(field));
    }
    return plans;
}

// Users whose events are not in this batch, or changed nothing: their rows change because others' did.
void strapi_batch::plan_neighbours(grants const& granted, std::vector<row_plan>& plans)
{
    for (auto const& [id, grant] : granted) {
        auto& user = context_.cases.at(id);
        if (user.effect != row_effect::nothing) continue;
        auto const shows = user.row->email == grant.email && user.row->username == grant.username;
        if (shows && user.gave.waits_for == grant.waits_for && !grant.linked_row) continue;
        user.effect = row_effect::write;
        plans.push_back(plan_for(user));
    }
}

void strapi_batch::grant_values(grants const& granted, std::vector<row_plan>& plans, apply_result& result)
{
    for (auto& plan : plans) {
        auto const grant = granted.find(plan.user->clerk_id);
        if (grant == granted.end()) continue;
        add_decisions(plan, grant->second, result.conflicts);
        plan.values.email = grant->second.email;
        plan.values.username = grant->second.username;
        plan.user->gave.waits_for = grant->second.waits_for;
    }
    take_over_local_rows(granted, plans);
    for (auto& plan : plans) {
        auto const& row = plan.user->row;
        plan.rows_differ = plan.linked || !row || row->lost_clerk_id || row->provider.empty()
            || row->email != plan.values.email || row->username != plan.values.username
            || row->full_name != plan.values.full_name || plan.blocked.has_value();
    }
}

void strapi_batch::take_over_local_rows(grants const& granted, std::vector<row_plan>& plans)
{
    std::map<std::int64_t, row_plan*> taking;
    for (auto& plan : plans) {
        auto const grant = granted.find(plan.user->clerk_id);
        if (grant != granted.end() && grant->second.linked_row) taking.emplace(*grant->second.linked_row, &plan);
    }
    if (taking.empty()) return;
    std::vector<std::int64_t> ids;
    ids.reserve(taking.size());
    for (auto const& [id, plan] : taking)
        ids.push_back(id);
    for (auto& row : lock_local_rows(context_, ids)) {
        auto& plan = *taking.at(row.id);
        auto& user = *plan.user;
        if (row.email != plan.values.email) break; // changed since we looked
        taking.erase(row.id);
        plan.linked = true;
        plan.given_up = std::exchange(user.row, std::move(row));
        if (!plan.given_up) plan.name_before = user.row->full_name.value_or("");
        auto const banned = user.after.wishes.banned;
        user.gave.blocked_by_us = banned && !user.row->blocked; // an admin's block stays
        plan.blocked = user.gave.blocked_by_us ? std::optional{true} : std::nullopt;
        user.gave.role_id.reset(); // his role was never ours
    }
    if (!taking.empty())
        throw postgres::work_stopped{{postgres::work_outcome::raced, "", "a local user changed meanwhile"}};
}

// The fold saw wishes; only the rows tell whether anything was written.
void strapi_batch::correct_outcomes(std::vector<row_plan> const& plans, apply_result& result) const
{
    for (auto const& plan : plans) {
        if (!plan.user->deciding_event) continue; // a neighbour
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
