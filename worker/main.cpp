// clerk-worker: consumes user events and updates Strapi's users. This file is the command line; run.cpp is the wiring
// of the service.

#include "common/config/config_source.hpp"
#include "common/kafka/known_faults.hpp"
#include "common/postgres/library.hpp"
#include "common/process/version_text.hpp"
#include "worker/operate/commands.hpp"
#include "worker/operate/operator_commands.hpp"

#include <build_version.hpp>

#include <CLI/CLI.hpp>

#include <exception>
#include <iostream>

namespace
{

using namespace clerk_strapi;
using namespace clerk_strapi::worker;

constexpr auto footer = R"(Every variable may be set in the environment, as NAME_FILE naming a file, or as a flag.

Examples:
  clerk-worker migrate                     once, as the owner of Strapi's tables
  clerk-worker topics --replication 3      once: create missing topics
  clerk-worker check                       check everything that a run needs
  clerk-worker                             the service
  clerk-worker backfill                    first import: publish every user of Clerk
  clerk-worker reconcile                   compare Strapi with Clerk
  clerk-worker status                      list what needs an operator
  clerk-worker user user_2abc              explain a user's current state
  clerk-worker dlq list                    list records that could not be applied
  clerk-worker replay --from beginning     apply all events in Kafka again
  clerk-worker --env-example > worker.env  every variable, its default and meaning

Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 found something that needs an operator.)";

std::string version()
{
    return version_text(std::string{"clerk-worker "} + build_version + " (" + build_commit + ")",
        {{{"librdkafka", kafka::loaded_library().name}}, postgres::libraries(), runtime_libraries()});
}

int dispatch(CLI::App const& app, config_source& source, commands::topics_options const& topics,
    commands::migrate_options const& migrate, std::vector<commands::operator_command> const& operators)
{
    for (auto const& one : operators) {
        if (one.parsed->parsed()) return one.run(source);
    }
    auto const chosen = [&](char const* name) { return app.got_subcommand(name); };
    if (chosen("migrate")) return commands::migrate(load_config(source, {.kafka = false}), migrate);
    if (chosen("topics")) return commands::topics(load_config(source, {.database = false}), topics);
    if (chosen("check")) return commands::check(load_config(source, {}));
    return commands::run(load_config(source, {}), source.unknown_variables());
}

}

int main(int argc, char** argv)
{
    CLI::App app{
        "Keeps Strapi's users equal to Clerk's: consumes user events from Kafka and writes Strapi's PostgreSQL.",
        "clerk-worker"};
    app.footer(footer);
    app.set_version_flag("--version", version);
    app.require_subcommand(0, 1);
    app.fallthrough();
    auto print_example = false;
    app.add_flag(
        "--env-example", print_example, "Print an environment file with every variable, its default and meaning");
    config_source source{program::worker, process_environment()};
    source.add_flags(app);
    app.add_subcommand("run", "Consume until SIGTERM (the default)");
    app.add_subcommand("check", "Check brokers, topics, database, rights and Strapi's tables; change nothing");
    commands::migrate_options migrate;
    auto* const migrate_command =
        app.add_subcommand("migrate", "Create the schema clerk_sync and the indexes on Strapi's user table");
    migrate_command->add_flag("--merge-duplicates", migrate.merge_duplicates,
        "Of several Strapi rows of one Clerk user keep the one with content, else the one with the lowest id");
    migrate_command->add_flag("--dry-run", migrate.dry_run, "Change nothing; print what would be done");
    migrate_command->add_flag("--json", migrate.json, "One JSON object instead of lines");
    commands::topics_options topics;
    auto* const topics_command = app.add_subcommand("topics", "Create missing topics, and check the others");
    topics_command->add_option("--partitions", topics.partitions, "Partitions of a new topic")->capture_default_str();
    topics_command->add_option("--replication", topics.replication, "Replicas of a new topic")->capture_default_str();
    topics_command->add_flag("--check", topics.check_only, "Check only; create nothing");
    std::vector<commands::operator_command> const operators{
        commands::add_backfill(app),
        commands::add_reconcile(app),
        commands::add_replay(app),
        commands::add_dlq(app),
        commands::add_user(app),
        commands::add_status(app),
    };
    try {
        app.parse(argc, argv);
    } catch (CLI::ParseError const& error) {
        return app.exit(error) == 0 ? commands::exit_done : commands::exit_usage;
    }
    if (print_example) {
        std::cout << example_file(program::worker);
        return commands::exit_done;
    }
    try {
        return dispatch(app, source, topics, migrate, operators);
    } catch (config_error const& error) {
        std::cerr << "clerk-worker: the configuration cannot be used:\n" << error.what() << '\n';
        return commands::exit_usage;
    } catch (std::exception const& error) {
        std::cerr << "clerk-worker: " << error.what() << '\n';
        return commands::exit_failed;
    }
}
