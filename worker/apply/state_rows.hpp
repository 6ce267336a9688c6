#pragma once

// clerk_sync.user_state: reads and locks the rows of a batch's users, and writes them back.

#include "worker/decide/fold.hpp"

#include <set>
#include <string>
#include <vector>

#include <pqxx/pqxx>

namespace clerk_strapi::worker
{

// Fills `before`, `gave` and `state_stored` of every case that has a row, and holds the rows' locks until the
// transaction ends. Users without a row stay absent.
// `also_lock` are users whose rows will be asked for later.
void load_states(pqxx::work& transaction, std::string const& mapping_hash, user_cases& cases,
    std::set<std::string> const& also_lock);

// The same for users of `cases` who were found while locks are held. Never waits: throws SQLSTATE 55P03 instead.
void load_states_now(
    pqxx::work& transaction, std::string const& mapping_hash, user_cases& cases, std::vector<user_case*> const& users);

// Writes what changed. A user who was absent is a plain INSERT: when another worker was faster, the transaction
// fails with 23505 and is run again, then seeing the other's row.
void store_states(pqxx::work& transaction, std::string const& mapping_hash, user_cases const& cases);

}
