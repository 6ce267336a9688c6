#pragma once

// The same rows as the worker writes, by SQL that an engineer would write for this one purpose: no read of existing
// rows, no conflict tests, no state, no decoding; values are given ready. One connection, one transaction per
// batch. The worker's rates are compared with it.

#include "tests/bench/sample_users.hpp"

#include <span>
#include <string>

#include <pqxx/pqxx>

namespace clerk_strapi::bench
{

// A user with all values of the rows computed beforehand.
struct ready_user
{
    sample_user user;
    std::string document_id;
    std::string profile_document_id;
    std::string name_before; // of the profile, for an update
};

[[nodiscard]] ready_user make_ready(sample_user const& user, std::string const& name_before = {});

class hand_written
{
public:
    explicit hand_written(std::string const& conninfo);

    // Ids drawn from the sequences, then one multi-row INSERT per table.
    void insert_values(std::span<ready_user const> users);
    // The same in one prepared statement, one parameter per column.
    void insert_arrays(std::span<ready_user const> users);
    // Ids drawn from the sequences, then one COPY per table.
    void copy(std::span<ready_user const> users);
    // Users, and the names of their profiles while these are the ones that we wrote.
    void update_with_profiles(std::span<ready_user const> users);
    void update_users_only(std::span<ready_user const> users);

private:
    [[nodiscard]] pqxx::result draw_ids(pqxx::work& transaction, std::size_t count);

    pqxx::connection connection_;
    std::int64_t role_id_{0};
    std::int64_t role_order_{1'000'000};
};

}
