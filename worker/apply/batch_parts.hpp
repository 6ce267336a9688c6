#pragma once

// What the parts of one batch share (strapi_batch tells the story): the transaction, the site, the users, and what is
// to be written for each.

#include "worker/decide/fold.hpp"
#include "worker/decide/role_map.hpp"
#include "worker/decide/field_map.hpp"
#include "worker/decide/strapi_schema.hpp"

#include <optional>
#include <set>
#include <string>

#include <pqxx/pqxx>

namespace clerk_strapi::worker
{

enum class delete_policy {
    remove, // user, links and profiles go
    block, // the row stays, emptied of personal data and blocked
};

// When a verified address is a local user's.
enum class email_conflict {
    link, // his row becomes the Clerk user's
    placeholder, // ours does without the address
};

struct mapping_settings
{
    std::string placeholder_domain{"clerk.user"};
    delete_policy on_delete{delete_policy::remove};
    email_conflict on_conflict{email_conflict::link};
    std::optional<role_map> roles;
    std::string database_schema{"public"}; // where Strapi's tables live
    std::string hash; // of code and configuration: rows written under another one are written again
};

// What a transaction must lock before all else, because an earlier try found it too late to wait for it. Grows from
// try to try, so that the last one finds every lock in the order in which everybody takes them.
struct locks_to_take
{
    std::set<std::string> clerk_ids;
    std::set<std::string> values;
};

struct batch_context
{
    pqxx::work& transaction;
    strapi_schema const& schema;
    mapping_settings const& mapping;
    locks_to_take& locks;
    user_cases cases{};
};

// What is to be written for one user whose rows must show his state.
struct row_plan
{
    user_case* user{nullptr};
    strapi_values values;
    std::optional<bool> blocked; // nothing: leave it as it is
    bool rows_differ{false};
    std::string name_before; // of the profiles; empty: not known
    std::string name_after;
    bool linked{false}; // user->row is a local row that becomes his
    std::optional<strapi_row> given_up; // his own row, which the local one replaces
};

}
