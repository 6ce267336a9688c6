#include "worker/apply/value_rows.hpp"

#include "common/event/sha256.hpp"
#include "common/postgres/session.hpp"
#include "common/postgres/sql_array.hpp"
#include "common/postgres/statement.hpp"
#include "worker/decide/document_id.hpp"
#include "worker/apply/state_rows.hpp"
#include "worker/apply/strapi_sql.hpp"
#include "worker/apply/user_rows.hpp"

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

value_claim value_rows::claim_of(user_case const& user) const
{
    auto const& wishes = user.after.wishes;
    auto const values = map_to_strapi(user.clerk_id, wishes, context_.mapping.placeholder_domain);
    value_claim claim;
    claim.clerk_id = user.clerk_id;
    claim.email = values.email;
    claim.username = values.username;
    claim.email_verified = wishes.email_verified;
    claim.version = user.after.version;
    auto const only_seen = claim.version == event_version{}; // a token's claims, or a row we know nothing more of
    claim.asks_link = context_.mapping.on_conflict == email_conflict::link && wishes.email.has_value()
        && wishes.email_verified && !only_seen;
    return claim;
}

void value_rows::ask(user_case const& user)
{
    if (user.row) own_ids_.insert(user.row->id);
    closure_.add({claim_of(user), values_held(user)});
}

void value_rows::ask_for_blocked(user_case const& user, strapi_row const& row)
{
    value_claim claim;
    claim.clerk_id = user.clerk_id;
    claim.email = placeholder_email(user.clerk_id, context_.mapping.placeholder_domain);
    claim.username = user.clerk_id;
    claim.email_verified = true;
    claim.version = user.after.version;
    own_ids_.insert(row.id);
    closure_.add({std::move(claim), values_held(user)});
}

void value_rows::leave(user_case const& user)
{
    for (auto& value : values_held(user))
        closure_.leave(std::move(value));
}

// What may become somebody else's when he asks for it no more: what his row shows; what he waited for, because a local
// row that was not his to link may be the next one's; of a row that was removed by hand what it was asked for.
std::vector<std::string> value_rows::values_held(user_case const& user) const
{
    auto values = user.gave.waits_for;
    if (user.row) {
        values.insert(values.end(), {user.row->email, user.row->username});
    } else if (user.before.known == user_state::presence::present) {
        auto asked = map_to_strapi(user.clerk_id, user.before.wishes, context_.mapping.placeholder_domain);
        values.insert(values.end(), {std::move(asked.email), std::move(asked.username)});
    }
    return values;
}

std::map<std::string, claim_grant> value_rows::settle()
{
    std::map<std::string, claim_grant> grants;
    if (closure_.empty()) return grants;
    auto const around = [this](auto const& asked, auto const& left) { return look(asked, left); };
    auto settled = closure_.settle(around);
    while (keep_rows_with_content(settled))
        settled = closure_.settle(around);
    for (std::size_t i = 0; i < settled.grants.size(); ++i)
        grants.emplace(closure_.claims()[i].clerk_id, std::move(settled.grants[i]));
    return grants;
}

neighbours value_rows::look(std::vector<std::string> const& asked, std::vector<std::string> const& left)
{
    lock(asked);
    neighbours found;
    std::set<std::string> clerk_ids;
    for (auto const& row : postgres::exec_prepared(
             context_.transaction, "values_in_question", array_of(asked), array_of(left), array_of(own_ids_))) {
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
        // A row that was removed by hand asks for nothing until its user's next event brings it back.
        if (user == context_.cases.end() || !is_present(user->second) || !user->second.row) continue;
        own_ids_.insert(user->second.row->id);
        found.claims.push_back({claim_of(user->second), values_held(user->second)});
    }
    return found;
}

// Before anybody is looked up: two transactions about one value see each other's result. The first time all of them
// are taken in their order, with those that an earlier try found; later ones only if that needs no waiting.
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
        throw postgres::work_stopped{{postgres::work_outcome::raced, "", "a value is being settled elsewhere"}};
}

void value_rows::load_users(std::set<std::string> const& clerk_ids)
{
    std::vector<user_case*> fresh;
    for (auto const& id : clerk_ids) {
        auto const [user, is_new] = context_.cases.try_emplace(id);
        if (!is_new) continue;
        user->second.clerk_id = id;
        fresh.push_back(&user->second);
        context_.locks.clerk_ids.insert(id); // should the next statement not get them
    }
    if (fresh.empty()) return;
    load_states_now(context_.transaction, context_.mapping.hash, context_.cases, fresh);
    load_rows(context_, fresh);
    for (auto* const user : fresh)
        user->after = user->before;
}

// True when somebody turned out to need his own row, so that all must be settled again.
bool value_rows::keep_rows_with_content(settlement const& settled)
{
    std::vector<std::int64_t> unknown;
    std::vector<std::pair<std::string, strapi_row>> giving_up;
    for (std::size_t i = 0; i < settled.grants.size(); ++i) {
        auto const& id = closure_.claims()[i].clerk_id;
        auto const& row = context_.cases.at(id).row;
        if (!settled.grants[i].linked_row || !row) continue;
        giving_up.emplace_back(id, *row);
        if (!content_.contains(row->id)) unknown.push_back(row->id);
    }
    if (!unknown.empty()) {
        auto const with_content = rows_with_content(unknown);
        for (auto const id : unknown)
            content_[id] = with_content.contains(id);
    }
    auto kept = false;
    for (auto const& [id, row] : giving_up) {
        // A row that was there before us, or was linked already, is somebody's: only what we made may go.
        auto const is_ours = row.document_id == user_document_id(id) && !row.lost_clerk_id;
        if (is_ours && !content_.at(row.id)) continue;
        closure_.claim_of(id).keeps_own_row = true;
        kept = true;
    }
    return kept;
}

std::set<std::int64_t> value_rows::rows_with_content(std::vector<std::int64_t> const& ids)
{
    std::set<std::int64_t> found;
    if (!may_read_references()) return {ids.begin(), ids.end()}; // what nobody may look at is not given up
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
