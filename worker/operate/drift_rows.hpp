#pragma once

// Reads what the database has of many Clerk users, for `reconcile`: one statement per page. The ids that Clerk listed
// are kept in temporary tables of this session, so memory stays flat, and users that Clerk did not list are found by
// subtraction. Writes nothing that outlives the connection.

#include "common/postgres/session.hpp"
#include "worker/apply/strapi_sql.hpp"
#include "worker/decide/strapi_schema.hpp"
#include "worker/operate/drift.hpp"
#include "worker/operate/failure.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace clerk_strapi::worker
{

struct drift_question
{
    std::string clerk_id;
    std::string email; // that the row should have
    std::string username;
};

class drift_rows
{
public:
    drift_rows(postgres::session::conninfo_source conninfo, strapi_schema const& schema, sql_settings const& settings);

    [[nodiscard]] result<void, failure> begin();
    // In the order of the questions. `listed`: Clerk listed these users, so they are not extra.
    [[nodiscard]] result<std::vector<user_facts>, failure> read(
        std::vector<drift_question> const& questions, bool listed);
    // Finds the users in our state or in Strapi that Clerk did not list. Clerk is then asked for each of them.
    [[nodiscard]] result<std::size_t, failure> find_candidates();
    [[nodiscard]] result<std::vector<std::string>, failure> candidates_after(std::string const& clerk_id);
    // Records that Clerk returned 404 for the id.
    [[nodiscard]] result<void, failure> confirm(std::string const& clerk_id);
    [[nodiscard]] result<std::vector<std::string>, failure> confirmed_after(std::string const& clerk_id);

private:
    [[nodiscard]] result<void, failure> run(std::function<void(pqxx::work&)> const& body);
    [[nodiscard]] result<std::vector<std::string>, failure> ids(char const* table, std::string const& after);

    std::string users_;
    std::string facts_sql_;
    postgres::session session_;
};

}
