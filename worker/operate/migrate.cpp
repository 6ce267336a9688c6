#include "common/postgres/connect_fault.hpp"
#include "common/postgres/session.hpp"
#include "common/postgres/statement.hpp"
#include "worker/apply/strapi_sql.hpp"
#include "worker/operate/commands.hpp"
#include "worker/operate/merge_duplicates.hpp"

#include <embedded_sql.hpp>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <iostream>
#include <memory>
#include <sstream>

namespace clerk_strapi::worker::commands
{

namespace
{

constexpr auto footer =
    R"(Run it as the owner of Strapi's tables, before the first start and after each upgrade, then run
schemas/sql/grants.sql. Workers may run meanwhile. Running it again changes nothing.

Examples:
  clerk-worker migrate                                  create what is missing; list users with several rows
  clerk-worker migrate --merge-duplicates --dry-run     show which of several rows would be kept
  clerk-worker migrate --merge-duplicates               keep one row of each user, in one transaction

Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 some Clerk users have several Strapi rows.)";

struct wanted_index
{
    char const* name;
    char const* column;
    bool unique;
    char const* purpose;
};

// Built concurrently, so that the site can still write users meanwhile.
constexpr wanted_index wanted_indexes[] = {
    {"clerk_sync_up_users_clerk_id", "clerk_id", true, "at most one Strapi user per Clerk user (I4)"},
    {"clerk_sync_up_users_email", "email", false, "finds users by e-mail"},
    {"clerk_sync_up_users_username", "username", false, "finds users by username"},
};

std::string users_table(worker_config const& config)
{
    return quoted_identifier(config.store.sql.database_schema) + ".\"up_users\"";
}

bool has_valid_index(pqxx::transaction_base& work, worker_config const& config, wanted_index const& wanted)
{
    auto const found = postgres::exec_one(work,
        "select exists (select 1 from pg_index x join pg_attribute a on a.attrelid = x.indrelid and "
        "a.attnum = x.indkey[0] where x.indrelid = to_regclass("
            + quoted_literal(users_table(config))
            + ") and x.indisvalid and x.indnatts = 1 and x.indpred is null and a.attname = '" + wanted.column + "'"
            + (wanted.unique ? " and x.indisunique" : "") + ")");
    return found[0].as<bool>();
}

bool has_clerk_id(pqxx::transaction_base& work, worker_config const& config)
{
    return postgres::exec_one(work,
        "select exists (select 1 from pg_attribute where attrelid = to_regclass(" + quoted_literal(users_table(config))
            + ") and attname = 'clerk_id' and not attisdropped)")[0]
        .as<bool>();
}

std::string in_column(std::string text)
{
    constexpr std::size_t width = 12; // of "would create"
    text.resize(std::max(text.size(), width), ' ');
    return text;
}

// Prints each step when it is done, or all of them as one JSON object at the end.
class migration_report
{
public:
    explicit migration_report(migrate_options const& options)
        : options_(options)
    {
    }

    void step(std::string const& state, std::string const& what, std::string const& detail = {})
    {
        if (options_.json) {
            steps_.push_back({{"state", state}, {"what", what}});
        } else {
            std::cout << in_column(state) << ' ' << what << detail << '\n' << std::flush;
        }
    }

    void duplicate(merged_user const& user)
    {
        if (options_.json) {
            duplicates_.push_back(as_json(user));
        } else {
            std::cout << as_text(user);
        }
    }

    int end(int code)
    {
        if (options_.json) {
            std::cout << nlohmann::json{{"steps", steps_}, {"duplicates", duplicates_}, {"dry_run", options_.dry_run},
                {"exit", code}}
                      << '\n';
        } else if (code == exit_done) {
            std::cout << (options_.dry_run ? "migrate: dry run, nothing was changed\n" : "migrate: done\n");
        }
        return code;
    }

private:
    [[nodiscard]] char const* decision(merged_user const& user) const
    {
        if (!options_.merge_duplicates) return "duplicate";
        if (!user.kept) return "left";
        return options_.dry_run ? "would merge" : "merged";
    }

    [[nodiscard]] nlohmann::json as_json(merged_user const& user) const
    {
        auto rows = nlohmann::json::array();
        for (auto const& row : user.found.rows)
            rows.push_back({{"id", row.id}, {"blocked", row.blocked}, {"content", row.content}});
        nlohmann::json one{{"clerk_id", user.found.clerk_id}, {"decision", decision(user)}, {"rows", rows}};
        if (!options_.merge_duplicates) return one;
        one["removed"] = user.removed;
        one["kept"] = user.kept ? nlohmann::json(*user.kept) : nlohmann::json();
        one["profiles_removed"] = user.profiles_removed;
        one["block_handed_on"] = user.blocked;
        return one;
    }

    [[nodiscard]] std::string as_text(merged_user const& user) const
    {
        std::ostringstream text;
        text << in_column(decision(user)) << ' ' << user.found.clerk_id << '\n';
        for (auto const& row : user.found.rows) {
            auto const is_kept = options_.merge_duplicates && user.kept == row.id;
            auto const is_removed = options_.merge_duplicates && user.kept && !is_kept;
            text << "                id " << row.id << (is_kept ? "  kept" : is_removed ? "  removed" : "");
            for (auto const& [table, count] : row.content)
                text << "  " << table << ": " << count;
            text << '\n';
        }
        if (user.blocked) text << "                a removed row is blocked, so the kept row is blocked too\n";
        return text.str();
    }

    migrate_options options_;
    nlohmann::json steps_ = nlohmann::json::array();
    nlohmann::json duplicates_ = nlohmann::json::array();
};

void make_index(pqxx::transaction_base& work, worker_config const& config, wanted_index const& wanted, bool dry_run,
    migration_report& report)
{
    auto const what = std::string{"index on up_users("} + wanted.column + ")";
    if (has_valid_index(work, config, wanted)) return report.step("present", what);
    if (dry_run) return report.step("would create", what, std::string{": "} + wanted.purpose);
    // A build that was interrupted leaves an invalid index of this name.
    work.exec("drop index concurrently if exists " + quoted_identifier(config.store.sql.database_schema) + "."
        + quoted_identifier(wanted.name));
    work.exec(std::string{"create "} + (wanted.unique ? "unique " : "") + "index concurrently "
        + quoted_identifier(wanted.name) + " on " + users_table(config) + " (" + wanted.column + ")");
    report.step("created", what, std::string{": "} + wanted.purpose);
}

void make_schema(postgres::any_connection& connection, bool dry_run, migration_report& report)
{
    pqxx::work work{connection};
    auto const there =
        postgres::exec_one(work, "select to_regclass('clerk_sync.user_state') is not null")[0].as<bool>();
    if (!dry_run) {
        work.exec("select pg_advisory_xact_lock(hashtext('clerk_sync.migrate'))"); // two migrate Jobs may run at once
        work.exec("set local client_min_messages = warning"); // no notice for each object that exists
        work.exec(sql::clerk_sync_0001);
        work.exec(sql::clerk_sync_0002);
        work.exec(sql::clerk_sync_0003);
        work.exec(sql::clerk_sync_0004);
        work.exec(sql::clerk_sync_0005);
        work.commit();
    }
    report.step(there ? "present" : dry_run ? "would create" : "created", "schema clerk_sync");
}

// Returns how many Clerk users still have several rows. All are merged in one transaction, or none.
std::size_t merge_or_list_duplicates(postgres::any_connection& connection, worker_config const& config,
    migrate_options const& options, migration_report& report)
{
    pqxx::work work{connection};
    auto const merges = options.merge_duplicates && !options.dry_run;
    if (merges) lock_users(work, config.store);
    auto plan = plan_merge(work, config.store);
    if (merges) carry_out(work, config.store, plan);
    work.commit();
    std::size_t remaining = 0;
    for (auto const& user : plan) {
        report.duplicate(user);
        remaining += merges && user.kept ? 0 : 1;
    }
    return remaining;
}

void print_next_step(std::size_t remaining, migrate_options const& options)
{
    std::cerr << "migrate: " << remaining << " Clerk users have several Strapi rows. ";
    if (!options.merge_duplicates) {
        std::cerr << "`clerk-worker migrate --merge-duplicates` keeps one row per user; add --dry-run to see which.\n";
    } else if (options.dry_run) {
        std::cerr << "Nothing was changed.\n";
    } else {
        std::cerr
            << "Several of their rows have content: move it to one row in Strapi's admin panel, then run this again.\n";
    }
}

int migrate_on(postgres::any_connection& connection, worker_config const& config, migrate_options const& options,
    migration_report& report)
{
    make_schema(connection, options.dry_run, report);
    if (pqxx::nontransaction work{connection}; !has_clerk_id(work, config)) {
        std::cerr << "migrate: " << users_table(config)
                  << " has no column clerk_id. Enable the Strapi plugin clerk-sync, start Strapi once, then run this "
                     "again.\n";
        return exit_failed;
    }
    if (auto const remaining = merge_or_list_duplicates(connection, config, options, report); remaining > 0) {
        print_next_step(remaining, options);
        return exit_found;
    }
    pqxx::nontransaction work{connection};
    for (auto const& wanted : wanted_indexes)
        make_index(work, config, wanted, options.dry_run, report);
    return exit_done;
}

}

int migrate(worker_config const& config, migrate_options const& options)
{
    migration_report report{options};
    try {
        auto const target = config.conninfo(); // owns the files that the connection reads
        pqxx::connection connection{target.text()};
        return report.end(migrate_on(connection, config, options, report));
    } catch (pqxx::sql_error const& error) {
        std::cerr << "migrate: " << error.what();
        if (error.sqlstate() == "42501") std::cerr << "Run it as the owner of Strapi's tables.\n";
        return exit_failed;
    } catch (pqxx::failure const& error) {
        std::cerr << "migrate: cannot reach the database: " << postgres::connect_fault(error.what()) << '\n';
        return exit_failed;
    } catch (std::runtime_error const& error) {
        std::cerr << "migrate: " << error.what() << '\n';
        return exit_failed;
    }
}

subcommand add_migrate(CLI::App& app)
{
    auto const options = std::make_shared<migrate_options>();
    auto* const command =
        app.add_subcommand("migrate", "Create the schema clerk_sync and indexes on Strapi's user table");
    command->footer(footer);
    command->add_flag("--merge-duplicates", options->merge_duplicates,
        "Of several Strapi rows of one Clerk user, keep the one with content, else the one with the lowest id");
    command->add_flag("--dry-run", options->dry_run, "Change nothing; print what would be done");
    command->add_flag("--json", options->json, "Print one JSON object");
    return {
        command, [options](config_source& source) { return migrate(load_config(source, {.kafka = false}), *options); }};
}

}
