#pragma once

// Which of Strapi's roles a user gets, and the role link. A role that we gave follows ROLE_MAP's answer; one that was
// set by hand stays, and so does a link that was taken away by hand.

#include "worker/apply/batch_parts.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace clerk_strapi::worker
{

// What to tell an operator whose Strapi lacks a role that ROLE_MAP gives.
[[nodiscard]] std::string missing_role(std::string const& type);

class role_rows
{
public:
    explicit role_rows(batch_context& context)
        : context_(context)
    {
    }

    // What ROLE_MAP says of the user; nothing: Strapi's own default role.
    [[nodiscard]] std::optional<std::string> answer_for(user_case const& user) const;

    // Reads the site's roles when first asked. Throws postgres::work_stopped when Strapi has no such role.
    [[nodiscard]] std::int64_t id_of(std::optional<std::string> const& type);

    // Where the answer is another than the one we acted on, and the user still has the role that we gave.
    void replace_roles(std::vector<row_plan>& plans);

private:
    void read_roles();

    batch_context& context_;
    bool read_{false};
    std::map<std::string, std::int64_t> ids_; // by type
    std::optional<std::int64_t> initial_;
};

}
