#pragma once

// Reads Strapi's users by their Clerk ids with one indexed statement for all ids. Blocking and read-only; the server
// limits its time. Reads only what schemas/sql/grants.sql grants to clerk_ingest.

#include "common/postgres/session.hpp"
#include "ingest/ports.hpp"

#include <string>
#include <vector>

namespace clerk_strapi::ingest
{

struct users_read
{
    postgres::work_result result;
    std::vector<user_answer> answers; // when done: one per id, in the same order
};

class strapi_user_query
{
public:
    strapi_user_query(postgres::session::conninfo_source conninfo, std::string const& database_schema);

    // Without ids it only checks that the database responds.
    [[nodiscard]] users_read read(std::vector<std::string> const& clerk_ids);

private:
    [[nodiscard]] users_read read_once(std::vector<std::string> const& clerk_ids);

    bool connected_{false};
    postgres::session session_;
};

}
