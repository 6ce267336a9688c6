#pragma once

// Reads rows for the commands `user` and `status`, as JSON with all columns, so that new columns appear without a
// change here. Lifts tombstones, which only an operator may do. Blocking; for commands.

#include "common/postgres/session.hpp"
#include "worker/decide/merge.hpp"
#include "worker/decide/strapi_schema.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace clerk_strapi::worker
{

struct user_rows
{
    std::string state; // JSON; empty: nothing is stored
    std::string strapi; // JSON; empty: no row
    std::string roles; // a JSON array
    std::vector<std::pair<std::string, std::string>> profiles; // type, JSON array
    user_state known; // for the merge rule
};

class operator_rows
{
public:
    operator_rows(postgres::session::conninfo_source conninfo, std::string database_schema);

    // Nothing or false: fault() has the reason.
    [[nodiscard]] std::optional<user_rows> read_user(std::string const& clerk_id, strapi_schema const& schema);
    // Counts users, tombstones, users on a waiting list, and users written with another mapping; a JSON object.
    [[nodiscard]] std::optional<std::string> summary(std::string const& mapping_hash);
    // Lifts the tombstone, if there is one; the next snapshot creates the rows.
    [[nodiscard]] bool revive(std::string const& clerk_id, std::int64_t now_ms, strapi_schema const& schema);
    [[nodiscard]] std::string const& fault() const { return fault_; }

private:
    [[nodiscard]] bool run(std::function<void(pqxx::work&)> const& body);

    postgres::session session_;
    std::string database_schema_;
    std::string fault_;
};

}
