#pragma once

// What the database holds of many Clerk users, for `reconcile`: one statement a page. Whom Clerk listed is remembered
// in temporary tables of this session, so memory stays flat and the extras can be found by subtraction. Writes nothing
// that outlives the connection.

#include "common/postgres/session.hpp"
#include "worker/operate/drift.hpp"
#include "worker/decide/strapi_schema.hpp"
#include "worker/apply/strapi_sql.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace clerk_strapi::worker
{

struct drift_question
{
    std::string clerk_id;
    std::string email; // what his row should have
    std::string username;
};

class drift_rows
{
public:
    drift_rows(postgres::session::conninfo_source conninfo, strapi_schema const& schema, sql_settings const& settings);

    // All of these return false or nothing when the database fails: fault() says how, for a person.
    [[nodiscard]] bool begin();
    // In the questions' order. `listed`: Clerk has them, so they are no extras.
    [[nodiscard]] std::optional<std::vector<user_facts>> read(
        std::vector<drift_question> const& questions, bool listed);
    // Everybody whom our state or Strapi has, and Clerk did not list: to be asked for one by one.
    [[nodiscard]] std::optional<std::size_t> find_candidates();
    [[nodiscard]] std::optional<std::vector<std::string>> candidates_after(std::string const& clerk_id);
    // Clerk said 404.
    [[nodiscard]] bool confirm(std::string const& clerk_id);
    [[nodiscard]] std::optional<std::vector<std::string>> confirmed_after(std::string const& clerk_id);

    [[nodiscard]] std::string const& fault() const { return fault_; }

private:
    [[nodiscard]] bool run(std::function<void(pqxx::work&)> const& body);
    [[nodiscard]] std::optional<std::vector<std::string>> ids(char const* table, std::string const& after);

    std::string users_;
    std::string facts_sql_;
    postgres::session session_;
    std::string fault_;
};

}
