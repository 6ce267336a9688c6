#pragma once

// The settings of strapi_store, as values: the configuration includes them without an edge.

#include "worker/decide/role_map.hpp"

#include <optional>
#include <string>
#include <vector>

namespace clerk_strapi::worker
{

enum class profile_status {
    draft, // draft-and-publish types get the draft alone, as in the legacy plugin
    published, // draft and published, with one document id
};

enum class delete_policy {
    remove, // deletes the user, the links and the profiles
    block, // the row stays, without personal data and blocked
};

// When a local user has the verified address.
enum class email_conflict {
    link, // the local row becomes the Clerk user's
    placeholder, // the Clerk user is assigned the placeholder
};

struct sql_settings
{
    std::string database_schema{"public"}; // of Strapi's tables
    std::string time_zone{"UTC"}; // of the Strapi process: its timestamps are local time
    profile_status profiles{profile_status::draft};
};

struct store_settings
{
    std::vector<std::string> profile_types;
    sql_settings sql;
    std::string placeholder_domain{"clerk.user"};
    delete_policy on_delete{delete_policy::remove};
    email_conflict on_conflict{email_conflict::link};
    std::optional<role_map> roles;
    std::string roles_text; // as configured: part of the mapping hash
};

}
