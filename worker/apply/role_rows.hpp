#pragma once

// A user's Strapi role and the role link. A role that the worker assigned follows ROLE_MAP; a role set by hand stays,
// and so does a link removed by hand.

#include "worker/apply/batch_parts.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace clerk_strapi::worker
{

// The message when Strapi lacks a role of ROLE_MAP.
[[nodiscard]] std::string missing_role(std::string const& type);

class role_rows
{
public:
    explicit role_rows(batch_context& context)
        : context_(context)
    {
    }

    // The role type by ROLE_MAP; nullopt: Strapi's own default role.
    [[nodiscard]] std::optional<std::string> answer_for(user_case const& user) const;

    // Reads the site's roles at the first call. Throws postgres::work_stopped if Strapi has no such role.
    [[nodiscard]] std::int64_t id_of(std::optional<std::string> const& type);

    // For users whose role type has changed and who still have the role that the worker assigned.
    void replace_roles(std::vector<row_plan>& plans);

private:
    void read_roles();

    batch_context& context_;
    bool read_{false};
    std::map<std::string, std::int64_t> ids_; // by type
    std::optional<std::int64_t> initial_;
};

}
