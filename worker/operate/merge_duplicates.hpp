#pragma once

// `clerk-worker migrate --merge-duplicates`: keeps one of several Strapi rows of one Clerk user. Searches every table
// that refers to Strapi's users, so that only rows without content are removed: a row that nothing refers to but its
// role and an unchanged profile. Users with content on several rows are left for the operator to decide.

#include "worker/apply/store.hpp"
#include "worker/operate/duplicate_users.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <pqxx/pqxx>

namespace clerk_strapi::worker::commands
{

struct merged_user
{
    duplicate_user found;
    std::optional<std::int64_t> kept; // nothing: several rows have content, and all are kept
    std::vector<std::int64_t> removed;
    std::int64_t profiles_removed{0};
    bool blocked{false}; // a removed row was blocked, so the kept row is blocked too
};

// Every Clerk user with several rows, what refers to each row, and which row would be kept; by Clerk id. Reads only.
// Throws std::runtime_error that names what the site's schema lacks.
[[nodiscard]] std::vector<merged_user> plan_merge(pqxx::transaction_base& work, store_settings const& settings);

// Carries out the plan in the caller's transaction: removes rows with their roles and profiles, blocks the kept row if
// a removed one was blocked, and fills in what was removed.
void carry_out(pqxx::transaction_base& work, store_settings const& settings, std::vector<merged_user>& plan);

// Other writers of users wait until the end of the transaction, so the plan stays valid.
void lock_users(pqxx::transaction_base& work, store_settings const& settings);

}
