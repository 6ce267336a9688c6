// clerk-worker: consumes user events and updates Strapi's users. This file is the command line; run.cpp is the wiring
// of the service.

#include "common/config/config_source.hpp"
#include "common/kafka/known_faults.hpp"
#include "common/postgres/library.hpp"
#include "common/process/version_text.hpp"
#include "worker/operate/commands.hpp"

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

int dispatch(config_source& source, std::vector<commands::subcommand> const& subcommands)
{
    for (auto const& one : subcommands) {
        if (one.parsed->parsed()) return one.run(source);
    }
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
    std::vector<commands::subcommand> const subcommands{
        commands::add_check(app),
        commands::add_migrate(app),
        commands::add_topics(app),
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
        return dispatch(source, subcommands);
    } catch (config_error const& error) {
        std::cerr << "clerk-worker: wrong usage or configuration:\n" << error.what() << '\n';
        return commands::exit_usage;
    } catch (std::exception const& error) {
        std::cerr << "clerk-worker: " << error.what() << '\n';
        return commands::exit_failed;
    }
}
