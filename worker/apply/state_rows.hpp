#pragma once

// clerk_sync.user_state: reads and locks the rows of a batch's users, and writes them back.

#include "worker/decide/fold.hpp"

#include <set>
#include <string>
#include <vector>

#include <pqxx/pqxx>

namespace clerk_strapi::worker
{

// Rule L1 of worker/decide/README.md. Fills `before`, `written` and `state_stored` of every case that has a row. Users
// without a row stay absent. `also_lock`: users found by an earlier try (L4).
void load_states(pqxx::work& transaction, std::string const& mapping_hash, user_cases& cases,
    std::set<std::string> const& also_lock);

// Rule L4: the same for users of `cases` that were found later. Never waits: fails with SQLSTATE 55P03 instead.
void load_states_now(
    pqxx::work& transaction, std::string const& mapping_hash, user_cases& cases, std::vector<user_case*> const& users);

// Writes what changed. Rule L7: a user who was absent is a plain INSERT.
void store_states(pqxx::work& transaction, std::string const& mapping_hash, user_cases const& cases);

}
