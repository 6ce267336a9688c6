#pragma once

// clerk_sync.user_state: reads and locks the rows of a batch's users, and writes them back.

#include "worker/core/fold.hpp"

#include <string>

#include <pqxx/pqxx>

namespace clerk_strapi::worker
{

// Fills `before`, `gave` and `state_stored` of every case that has a row, and holds the rows' locks until the
// transaction ends. Users without a row stay absent.
void load_states(pqxx::work& transaction, std::string const& mapping_hash, user_cases& cases);

// Writes what changed. A user who was absent is a plain INSERT: when another worker was faster, the transaction
// fails with 23505 and is run again, then seeing the other's row.
void store_states(pqxx::work& transaction, std::string const& mapping_hash, user_cases const& cases);

}
