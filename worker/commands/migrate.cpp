#include "common/postgres/session.hpp"
#include "worker/commands/commands.hpp"
#include "worker/edges/strapi_sql.hpp"

#include <embedded_sql.hpp>

#include <iostream>

namespace clerk_strapi::worker::commands
{

namespace
{

struct wanted_index
{
    char const* name;
    char const* column;
    bool unique;
    char const* purpose;
};

// Concurrently: a site's sign-ups go on while an index is built.
constexpr wanted_index wanted_indexes[] = {
    {"clerk_sync_up_users_clerk_id", "clerk_id", true, "one Strapi user a Clerk user (I4)"},
    {"clerk_sync_up_users_email", "email", false, "who else has this e-mail?"},
    {"clerk_sync_up_users_username", "username", false, "who else has this username?"},
};

std::string users_table(worker_config const& config)
{
    return quoted_identifier(config.store.sql.database_schema) + ".\"up_users\"";
}

bool has_valid_index(pqxx::transaction_base& work, worker_config const& config, wanted_index const& wanted)
{
    auto const found =
        work.exec1("select exists (select 1 from pg_index x join pg_attribute a on a.attrelid = x.indrelid and "
                   "a.attnum = x.indkey[0] where x.indrelid = to_regclass("
            + quoted_literal(users_table(config))
            + ") and x.indisvalid and x.indnatts = 1 and x.indpred is null and a.attname = '" + wanted.column + "'"
            + (wanted.unique ? " and x.indisunique" : "") + ")");
    return found[0].as<bool>();
}

bool has_clerk_id(pqxx::transaction_base& work, worker_config const& config)
{
    return work
        .exec1("select exists (select 1 from pg_attribute where attrelid = to_regclass("
            + quoted_literal(users_table(config)) + ") and attname = 'clerk_id' and not attisdropped)")[0]
        .as<bool>();
}

// The seed could write one Clerk user several times; which row to keep is not ours to guess here.
int list_duplicates(pqxx::transaction_base& work, worker_config const& config)
{
    auto const rows = work.exec("select clerk_id, count(*), string_agg(id::text, ', ' order by id) from "
        + users_table(config) + " where clerk_id is not null group by clerk_id having count(*) > 1 order by clerk_id");
    for (auto const& row : rows)
        std::cout << "duplicate  " << row[0].c_str() << "  " << row[1].c_str() << " rows: ids " << row[2].c_str()
                  << '\n';
    return static_cast<int>(rows.size());
}

void make_index(pqxx::transaction_base& work, worker_config const& config, wanted_index const& wanted)
{
    if (has_valid_index(work, config, wanted)) {
        std::cout << "present    index on up_users(" << wanted.column << ")\n";
        return;
    }
    // A build that was interrupted leaves an invalid index of this name.
    work.exec("drop index concurrently if exists " + quoted_identifier(config.store.sql.database_schema) + "."
        + quoted_identifier(wanted.name));
    work.exec(std::string{"create "} + (wanted.unique ? "unique " : "") + "index concurrently "
        + quoted_identifier(wanted.name) + " on " + users_table(config) + " (" + wanted.column + ")");
    std::cout << "created    index on up_users(" << wanted.column << "): " << wanted.purpose << '\n';
}

int migrate_on(pqxx::connection& connection, worker_config const& config)
{
    {
        pqxx::work work{connection};
        work.exec("select pg_advisory_xact_lock(hashtext('clerk_sync.migrate'))"); // two Jobs at once
        work.exec(sql::clerk_sync_0001);
        work.commit();
        std::cout << "present    schema clerk_sync\n";
    }
    pqxx::nontransaction work{connection};
    if (!has_clerk_id(work, config)) {
        std::cerr
            << "migrate: " << users_table(config)
            << " has no column clerk_id. Enable the Strapi plugin clerk-sync, start Strapi once, and run this again.\n";
        return exit_failed;
    }
    if (auto const count = list_duplicates(work, config); count > 0) {
        std::cerr << "migrate: " << count
                  << " Clerk users have several Strapi rows. Keep one row of each (delete the others in Strapi's "
                     "admin) and run "
                     "this again.\n";
        return exit_found;
    }
    for (auto const& wanted : wanted_indexes)
        make_index(work, config, wanted);
    std::cout << "migrate: done\n";
    return exit_done;
}

}

int migrate(worker_config const& config)
{
    try {
        pqxx::connection connection{config.conninfo()};
        return migrate_on(connection, config);
    } catch (pqxx::sql_error const& error) {
        std::cerr << "migrate: " << error.what();
        if (error.sqlstate() == "42501") std::cerr << "Run it as the owner of Strapi's tables.\n";
        return exit_failed;
    } catch (pqxx::failure const& error) {
        std::cerr << "migrate: the database cannot be reached: " << error.what() << '\n';
        return exit_failed;
    }
}

}
