#pragma once

// What the database holds for a person on call, as JSON texts: whatever columns there are, so that a newer schema shows
// more without a change here. And the one thing that only a person may do: lift a tombstone. Blocking; for commands.

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
    user_state known; // for the rule
};

class operator_rows
{
public:
    operator_rows(postgres::session::conninfo_source conninfo, std::string database_schema);

    // Nothing, or false: fault() says why.
    [[nodiscard]] std::optional<user_rows> read_user(std::string const& clerk_id, strapi_schema const& schema);
    // Users, tombstones, who does without a value he asks for, whose rows another mapping wrote; a JSON object.
    [[nodiscard]] std::optional<std::string> summary(std::string const& mapping_hash);
    // Lifts the tombstone, if there is one; the next snapshot makes the rows.
    [[nodiscard]] bool revive(std::string const& clerk_id, std::int64_t now_ms, strapi_schema const& schema);
    [[nodiscard]] std::string const& fault() const { return fault_; }

private:
    [[nodiscard]] bool run(std::function<void(pqxx::work&)> const& body);

    postgres::session session_;
    std::string database_schema_;
    std::string fault_;
};

}
