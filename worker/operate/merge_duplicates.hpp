#pragma once

// `clerk-worker migrate --merge-duplicates`: of several Strapi rows of one Clerk user one stays. Looks through every
// table that Strapi says refers to its users, so that no row goes on which anything hangs but its role and a profile
// that nobody has touched. Whoever has such content on several rows is left as he is, for a person to decide.

#include "worker/operate/duplicate_users.hpp"
#include "worker/apply/store.hpp"

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
    std::optional<std::int64_t> kept; // nothing: several rows have content, and all stay
    std::vector<std::int64_t> removed;
    std::int64_t profiles_removed{0};
    bool blocked{false}; // a removed row was blocked, so the kept one is now
};

// Every Clerk user with several rows, what hangs on each, and which one would stay; by Clerk id. Reads only.
// Throws std::runtime_error with what is missing in the site's schema.
[[nodiscard]] std::vector<merged_user> plan_merge(pqxx::transaction_base& work, store_settings const& settings);

// Carries the plan out inside the caller's transaction: removes the losers with their roles and profiles, hands a
// block on, and fills in what was removed.
void carry_out(pqxx::transaction_base& work, store_settings const& settings, std::vector<merged_user>& plan);

// Nobody writes users from here to the end of the transaction: what was planned is what is found.
void lock_users(pqxx::transaction_base& work, store_settings const& settings);

}
