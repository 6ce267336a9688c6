#pragma once

// Strapi's user table: reads the rows of a batch's users, and writes them set by set.

#include "worker/apply/batch_parts.hpp"
#include "worker/apply/role_rows.hpp"

#include <vector>

namespace clerk_strapi::worker
{

// Finds each user's row by his Clerk id; and, where Strapi dropped that column and made it again, by the stored id and
// document id. What a row without a state says counts as the state before.
void load_rows(batch_context& context, std::vector<user_case*> const& users);

// Local rows that are to be linked, locked; only those that are still nobody's.
[[nodiscard]] std::vector<strapi_row> lock_local_rows(batch_context& context, std::vector<std::int64_t> const& ids);

// Removes what the deletions ask for, profiles first: they would be left without a user.
void delete_users(batch_context& context, std::vector<std::int64_t> const& ids);

struct blocked_row
{
    std::int64_t id{0};
    std::string email;
    std::string username;
};
// DELETE_POLICY=block: rows stay, emptied of personal data.
void block_users(batch_context& context, std::vector<blocked_row> const& rows);

void insert_users(batch_context& context, std::vector<row_plan>& plans, role_rows& roles);
void update_users(batch_context& context, std::vector<row_plan> const& plans);
// Local rows become Clerk users', and the rows they replace go.
void link_users(batch_context& context, std::vector<row_plan> const& plans);

}
