#include "common/postgres/connect_fault.hpp"
#include "common/postgres/session.hpp"
#include "common/postgres/statement.hpp"
#include "worker/operate/commands.hpp"
#include "worker/operate/merge_duplicates.hpp"
#include "worker/apply/strapi_sql.hpp"

#include <embedded_sql.hpp>

#include <algorithm>
#include <iostream>
#include <sstream>

#include <nlohmann/json.hpp>

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

// Says each step as it is done, or all of them as one JSON object at the end.
class narrator
{
public:
    explicit narrator(migrate_options const& options)
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
            std::cout << (options_.dry_run ? "migrate: nothing was changed\n" : "migrate: done\n");
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
            text << "                id " << row.id << (is_kept ? "  stays" : is_removed ? "  goes" : "");
            for (auto const& [table, count] : row.content)
                text << "  " << table << ": " << count;
            text << '\n';
        }
        if (user.blocked) text << "                one that goes is blocked: so is the one that stays\n";
        return text.str();
    }

    migrate_options options_;
    nlohmann::json steps_ = nlohmann::json::array();
    nlohmann::json duplicates_ = nlohmann::json::array();
};

void make_index(
    pqxx::transaction_base& work, worker_config const& config, wanted_index const& wanted, bool dry_run, narrator& tell)
{
    auto const what = std::string{"index on up_users("} + wanted.column + ")";
    if (has_valid_index(work, config, wanted)) return tell.step("present", what);
    if (dry_run) return tell.step("would create", what, std::string{": "} + wanted.purpose);
    // A build that was interrupted leaves an invalid index of this name.
    work.exec("drop index concurrently if exists " + quoted_identifier(config.store.sql.database_schema) + "."
        + quoted_identifier(wanted.name));
    work.exec(std::string{"create "} + (wanted.unique ? "unique " : "") + "index concurrently "
        + quoted_identifier(wanted.name) + " on " + users_table(config) + " (" + wanted.column + ")");
    tell.step("created", what, std::string{": "} + wanted.purpose);
}

void make_schema(postgres::any_connection& connection, bool dry_run, narrator& tell)
{
    pqxx::work work{connection};
    auto const there =
        postgres::exec_one(work, "select to_regclass('clerk_sync.user_state') is not null")[0].as<bool>();
    if (!dry_run) {
        work.exec("select pg_advisory_xact_lock(hashtext('clerk_sync.migrate'))"); // two Jobs at once
        work.exec("set local client_min_messages = warning"); // what is there already is no news
        work.exec(sql::clerk_sync_0001);
        work.exec(sql::clerk_sync_0002);
        work.exec(sql::clerk_sync_0003);
        work.exec(sql::clerk_sync_0004);
        work.exec(sql::clerk_sync_0005);
        work.commit();
    }
    tell.step(there ? "present" : dry_run ? "would create" : "created", "schema clerk_sync");
}

// The Clerk users who still have several rows afterwards. All are merged in one transaction, or none.
std::size_t settle_duplicates(
    postgres::any_connection& connection, worker_config const& config, migrate_options const& options, narrator& tell)
{
    pqxx::work work{connection};
    auto const merges = options.merge_duplicates && !options.dry_run;
    if (merges) lock_users(work, config.store);
    auto plan = plan_merge(work, config.store);
    if (merges) carry_out(work, config.store, plan);
    work.commit();
    std::size_t remaining = 0;
    for (auto const& user : plan) {
        tell.duplicate(user);
        remaining += merges && user.kept ? 0 : 1;
    }
    return remaining;
}

void say_what_to_do(std::size_t remaining, migrate_options const& options)
{
    std::cerr << "migrate: " << remaining << " Clerk users have several Strapi rows. ";
    if (!options.merge_duplicates) {
        std::cerr << "`clerk-worker migrate --merge-duplicates` keeps one of each; add --dry-run to see which.\n";
    } else if (options.dry_run) {
        std::cerr << "Nothing was changed.\n";
    } else {
        std::cerr << "Several of their rows have content: move it to one row in Strapi's admin, and run this again.\n";
    }
}

int migrate_on(
    postgres::any_connection& connection, worker_config const& config, migrate_options const& options, narrator& tell)
{
    make_schema(connection, options.dry_run, tell);
    if (pqxx::nontransaction work{connection}; !has_clerk_id(work, config)) {
        std::cerr
            << "migrate: " << users_table(config)
            << " has no column clerk_id. Enable the Strapi plugin clerk-sync, start Strapi once, and run this again.\n";
        return exit_failed;
    }
    if (auto const remaining = settle_duplicates(connection, config, options, tell); remaining > 0) {
        say_what_to_do(remaining, options);
        return exit_found;
    }
    pqxx::nontransaction work{connection};
    for (auto const& wanted : wanted_indexes)
        make_index(work, config, wanted, options.dry_run, tell);
    return exit_done;
}

}

int migrate(worker_config const& config, migrate_options const& options)
{
    narrator tell{options};
    try {
        auto const target = config.conninfo(); // owns the files that the connection reads
        pqxx::connection connection{target.text()};
        return tell.end(migrate_on(connection, config, options, tell));
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

}
