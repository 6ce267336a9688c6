#include "worker/apply/value_rows.hpp"

#include "common/event/sha256.hpp"
#include "common/postgres/session.hpp"
#include "common/postgres/sql_array.hpp"
#include "common/postgres/statement.hpp"
#include "worker/apply/state_rows.hpp"
#include "worker/apply/strapi_sql.hpp"
#include "worker/apply/user_rows.hpp"
#include "worker/decide/document_id.hpp"

#include <algorithm>
#include <cstring>

namespace clerk_strapi::worker
{

namespace
{

using postgres::sql_array;

std::int64_t lock_key(std::string const& value)
{
    auto const digest = sha256("value:" + value);
    std::int64_t key = 0;
    std::memcpy(&key, digest.data(), sizeof key);
    return key;
}

template <class Values>
std::string sorted_lock_keys(Values const& values)
{
    std::set<std::int64_t> keys;
    for (auto const& value : values)
        keys.insert(lock_key(value));
    sql_array sorted;
    for (auto const key : keys)
        sorted.add(key);
    return sorted.str();
}

template <class Values>
std::string array_of(Values const& values)
{
    sql_array array;
    for (auto const& value : values)
        array.add(value);
    return array.str();
}

bool is_present(user_case const& user) { return user.after.known == user_state::presence::present; }

}

candidate value_rows::candidate_for(user_case const& user) const
{
    auto const& desired = user.after.desired;
    auto const values = map_to_strapi(user.clerk_id, desired, context_.mapping.placeholder_domain);
    candidate desires;
    desires.clerk_id = user.clerk_id;
    desires.email = values.email;
    desires.username = values.username;
    desires.email_verified = desired.email_verified;
    desires.version = user.after.version;
    // Only a token, or an adopted row, reported this user: neither proves that the address is verified (C7).
    auto const unconfirmed = desires.version == event_version{};
    desires.may_link = context_.mapping.on_conflict == email_conflict::link && desired.email.has_value()
        && desired.email_verified && !unconfirmed;
    return desires;
}

void value_rows::add(user_case const& user)
{
    if (user.row) own_ids_.insert(user.row->id);
    closure_.add({candidate_for(user), releasable_values(user)});
}

void value_rows::add_blocked(user_case const& user, strapi_row const& row)
{
    candidate desires;
    desires.clerk_id = user.clerk_id;
    desires.email = placeholder_email(user.clerk_id, context_.mapping.placeholder_domain);
    desires.username = user.clerk_id;
    desires.email_verified = true;
    desires.version = user.after.version;
    own_ids_.insert(row.id);
    closure_.add({std::move(desires), releasable_values(user)});
}

void value_rows::release(user_case const& user)
{
    for (auto& value : releasable_values(user))
        closure_.release(std::move(value));
}

// Three kinds: the values that the row shows; the values that the user waited for, because a local row that this user
// could not link may be linkable for the next one; and, if the row was removed by hand, the values that were desired.
std::vector<std::string> value_rows::releasable_values(user_case const& user) const
{
    auto values = user.written.waits_for;
    if (user.row) {
        values.insert(values.end(), {user.row->email, user.row->username});
    } else if (user.before.known == user_state::presence::present) {
        auto desired = map_to_strapi(user.clerk_id, user.before.desired, context_.mapping.placeholder_domain);
        values.insert(values.end(), {std::move(desired.email), std::move(desired.username)});
    }
    return values;
}

std::map<std::string, assigned_values> value_rows::assign()
{
    std::map<std::string, assigned_values> by_id;
    if (closure_.empty()) return by_id;
    auto const find = [this](
                          auto const& considered, auto const& released) { return find_affected(considered, released); };
    auto assigned = closure_.assign(find);
    while (keep_rows_with_content(assigned))
        assigned = closure_.assign(find);
    for (std::size_t i = 0; i < assigned.users.size(); ++i)
        by_id.emplace(closure_.candidates()[i].clerk_id, std::move(assigned.users[i]));
    return by_id;
}

affected_rows value_rows::find_affected(
    std::vector<std::string> const& considered, std::vector<std::string> const& released)
{
    lock(considered);
    affected_rows found;
    std::set<std::string> clerk_ids;
    for (auto const& row : postgres::exec_prepared(
             context_.transaction, "affected_rows", array_of(considered), array_of(released), array_of(own_ids_))) {
        if (!row[0].is_null()) {
            clerk_ids.insert(row[0].as<std::string>());
        } else {
            found.locals.push_back(
                {row[1].as<std::int64_t>(), row[2].as<std::string>(""), row[3].as<std::string>(""), row[4].as<bool>()});
        }
    }
    load_users(clerk_ids);
    for (auto const& id : clerk_ids) {
        auto const user = context_.cases.find(id);
        // Rule C11: without a row, a user is no candidate until the user's next event.
        if (user == context_.cases.end() || !is_present(user->second) || !user->second.row) continue;
        own_ids_.insert(user->second.row->id);
        found.users.push_back({candidate_for(user->second), releasable_values(user->second)});
    }
    return found;
}

// Rules L2 to L4.
void value_rows::lock(std::vector<std::string> const& values)
{
    auto const first = !std::exchange(locked_, true);
    if (!first && values.empty()) return;
    context_.locks.values.insert(values.begin(), values.end());
    if (first) {
        if (!context_.locks.values.empty())
            postgres::exec_prepared(context_.transaction, "lock_values", sorted_lock_keys(context_.locks.values));
        return;
    }
    if (!postgres::exec_prepared_one(context_.transaction, "try_lock_values", sorted_lock_keys(values))[0].as<bool>())
        throw postgres::work_stopped{
            {postgres::work_outcome::raced, "", "another transaction holds the lock of an e-mail or username"}};
}

void value_rows::load_users(std::set<std::string> const& clerk_ids)
{
    std::vector<user_case*> fresh;
    for (auto const& id : clerk_ids) {
        auto const [user, is_new] = context_.cases.try_emplace(id);
        if (!is_new) continue;
        user->second.clerk_id = id;
        fresh.push_back(&user->second);
        context_.locks.clerk_ids.insert(id); // for the next try, should the next statement fail (L4)
    }
    if (fresh.empty()) return;
    load_states_now(context_.transaction, context_.mapping.hash, context_.cases, fresh);
    load_rows(context_, fresh);
    for (auto* const user : fresh)
        user->after = user->before;
}

// Rule C8. True: a candidate has to keep the own row, so values must be assigned again.
bool value_rows::keep_rows_with_content(assignment const& assigned)
{
    std::vector<std::int64_t> unknown;
    std::vector<std::pair<std::string, strapi_row>> to_give_up;
    for (std::size_t i = 0; i < assigned.users.size(); ++i) {
        auto const& id = closure_.candidates()[i].clerk_id;
        auto const& row = context_.cases.at(id).row;
        if (!assigned.users[i].linked_row || !row) continue;
        to_give_up.emplace_back(id, *row);
        if (!content_.contains(row->id)) unknown.push_back(row->id);
    }
    if (!unknown.empty()) {
        auto const with_content = rows_with_content(unknown);
        for (auto const id : unknown)
            content_[id] = with_content.contains(id);
    }
    auto kept = false;
    for (auto const& [id, row] : to_give_up) {
        auto const made_by_worker = row.document_id == user_document_id(id) && !row.lost_clerk_id;
        if (made_by_worker && !content_.at(row.id)) continue;
        closure_.candidate_of(id).keeps_own_row = true;
        kept = true;
    }
    return kept;
}

std::set<std::int64_t> value_rows::rows_with_content(std::vector<std::int64_t> const& ids)
{
    std::set<std::int64_t> found;
    if (!may_read_references()) return {ids.begin(), ids.end()}; // C8: content that the worker cannot read
    for (auto const& row :
        context_.transaction.exec(content_query(context_.schema, context_.mapping.database_schema, array_of(ids))))
        found.insert(row[0].as<std::int64_t>());
    return found;
}

bool value_rows::may_read_references()
{
    std::vector<std::string> tables;
    tables.reserve(context_.schema.references.size());
    for (auto const& reference : context_.schema.references)
        tables.push_back(
            quoted_identifier(context_.mapping.database_schema) + "." + quoted_identifier(reference.table));
    return postgres::exec_one(context_.transaction,
        "select coalesce(bool_and(coalesce(has_table_privilege(to_regclass(t), 'select'), false)), true) from "
        "unnest("
            + quoted_literal(array_of(tables)) + "::text[]) as v(t)")[0]
        .as<bool>();
}

}
