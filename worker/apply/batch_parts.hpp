#pragma once

// What the parts of one batch share: the transaction, the site, the users, and what to write for each. strapi_batch
// runs the parts in order.

#include "worker/apply/store_settings.hpp"
#include "worker/decide/field_map.hpp"
#include "worker/decide/fold.hpp"
#include "worker/decide/role_map.hpp"
#include "worker/decide/strapi_schema.hpp"

#include <optional>
#include <set>
#include <string>

#include <pqxx/pqxx>

namespace clerk_strapi::worker
{

struct mapping_settings
{
    std::string placeholder_domain{"clerk.user"};
    delete_policy on_delete{delete_policy::remove};
    email_conflict on_conflict{email_conflict::link};
    std::optional<role_map> roles;
    std::string database_schema{"public"}; // where Strapi's tables live
    std::string hash; // of code and configuration: rows written under another hash are written again
};

// Rule L4 of worker/decide/README.md: locks that an earlier try could not wait for. The next try takes them first.
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

// What to write for one user whose rows must show the user's state.
struct row_plan
{
    user_case* user{nullptr};
    strapi_values values;
    std::optional<bool> blocked; // nullopt: unchanged
    bool rows_differ{false};
    std::string name_before; // of the profiles; empty: unknown
    std::string name_after;
    bool linked{false}; // user->row is a local row that becomes the user's (rule C7)
    std::optional<strapi_row> given_up; // the own row, which the local one replaces (rule C8)
};

}
