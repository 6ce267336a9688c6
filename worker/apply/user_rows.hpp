#pragma once

// Strapi's user table: reads the rows of a batch's users, and writes them set by set.

#include "worker/apply/batch_parts.hpp"
#include "worker/apply/role_rows.hpp"

#include <vector>

namespace clerk_strapi::worker
{

// Finds each user's row by the Clerk id; if Strapi dropped and recreated that column, by stored id and document id. A
// row without stored state becomes the state before.
void load_rows(batch_context& context, std::vector<user_case*> const& users);

// Rule L6 of worker/decide/README.md: locks the local rows to link, and returns those still without a Clerk id.
[[nodiscard]] std::vector<strapi_row> lock_local_rows(batch_context& context, std::vector<std::int64_t> const& ids);

// Profiles first: they would be left without a user.
void delete_users(batch_context& context, std::vector<std::int64_t> const& ids);

struct blocked_row
{
    std::int64_t id{0};
    std::string email;
    std::string username;
};
// DELETE_POLICY=block: the rows stay, without personal data.
void block_users(batch_context& context, std::vector<blocked_row> const& rows);

void insert_users(batch_context& context, std::vector<row_plan>& plans, role_rows& roles);
void update_users(batch_context& context, std::vector<row_plan> const& plans);
// Rules C7 and C8: local rows become the users' rows, and the rows that they replace are deleted.
void link_users(batch_context& context, std::vector<row_plan> const& plans);

}
