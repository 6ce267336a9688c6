#pragma once

// Reads rows for the commands `user` and `status`, as JSON with all columns, so that new columns appear without a
// change here. Lifts tombstones, which only an operator may do. Blocking; for commands.

#include "common/postgres/session.hpp"
#include "worker/decide/merge.hpp"
#include "worker/decide/strapi_schema.hpp"
#include "worker/operate/failure.hpp"

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

    [[nodiscard]] result<user_rows, failure> read_user(std::string const& clerk_id, strapi_schema const& schema);
    // Counts users, tombstones, users on a waiting list, and users written with another mapping; a JSON object.
    [[nodiscard]] result<std::string, failure> summary(std::string const& mapping_hash);
    // Lifts the tombstone, if there is one; the next snapshot creates the rows.
    [[nodiscard]] result<void, failure> revive(
        std::string const& clerk_id, std::int64_t now_ms, strapi_schema const& schema);

private:
    [[nodiscard]] result<void, failure> run(std::function<void(pqxx::work&)> const& body);

    postgres::session session_;
    std::string database_schema_;
};

}
