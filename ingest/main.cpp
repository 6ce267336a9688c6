// clerk-ingest: publishes Clerk's webhooks to Kafka and verifies session tokens. This file reads the command line.

#include "build_version.hpp"
#include "common/config/config_source.hpp"
#include "common/kafka/known_faults.hpp"
#include "common/log/logging.hpp"
#include "common/postgres/library.hpp"
#include "common/process/stop_signal.hpp"
#include "common/process/version_text.hpp"
#include "ingest/commands/check.hpp"
#include "ingest/commands/send.hpp"
#include "ingest/config.hpp"
#include "ingest/service.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <exception>
#include <malloc.h>
#include <sys/resource.h>

namespace
{

using namespace clerk_strapi;

constexpr int done = 0;
constexpr int failed = 1;
constexpr int wrong_usage = 2;

constexpr auto examples = R"(Examples:
  CLERK_WEBHOOK_SIGNING_SECRET=whsec_... KAFKA_BROKERS=kafka:9092 clerk-ingest
  clerk-ingest check
  clerk-ingest send --to http://localhost:8080 --type user.created --email ada@example.com --first-name Ada
  clerk-ingest --env-example > ingest.env

Exit: 0 done, 1 failed, 2 wrong usage or configuration. SIGTERM stops gracefully within 9 s, a second one at once.)";

std::string version()
{
    return version_text(std::string{"clerk-ingest "} + build_version + " (" + build_commit + ")",
        {{{"librdkafka", kafka::loaded_library().name}}, postgres::libraries(), runtime_libraries()});
}

// Each connection needs a file descriptor: raise the soft limit to the hard limit.
void raise_descriptor_limit()
{
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

int run(config_source& source)
{
    auto settings = ingest::load_config(source);
    auto log_options = ingest::load_log_options(source);
    source.require_valid();

    raise_descriptor_limit();
    ::mallopt(M_ARENA_MAX, 2); // else each thread of librdkafka reserves 64 MiB of addresses
    stop_signal const stop;
    log_options.program = "clerk-ingest";
    log_options.version = build_version;
    log::start(log_options);
    log::info("clerk-ingest is starting", {{"commit", build_commit}});
    for (auto const& name : source.unknown_variables())
        log::warning("unknown variable, ignored", {{"variable", name}});
    try {
        ingest::service service{std::move(settings)};
        service.run(stop.descriptor(), [&stop] { return stop.hangups(); });
    } catch (std::exception const& fault) {
        log::error("clerk-ingest stops because of an error", {{"fault", fault.what()}});
        log::stop();
        return failed;
    }
    log::stop();
    return done;
}

int check(config_source& source)
{
    auto const settings = ingest::load_config(source);
    static_cast<void>(ingest::load_log_options(source));
    source.require_valid();
    return ingest::check(settings);
}

int send(config_source& source, ingest::send_options const& options)
{
    return ingest::send(options, options.secret_text ? secret{} : source.secret_text("CLERK_WEBHOOK_SIGNING_SECRET"));
}

}

int main(int count, char** arguments)
{
    CLI::App app{
        "Publishes Clerk's webhooks to Kafka and verifies session tokens for Strapi and gateways.", "clerk-ingest"};
    app.footer(examples);
    app.set_version_flag("--version", version);
    app.require_subcommand(0, 1);
    bool print_example = false;
    app.add_flag(
        "--env-example", print_example, "Print an environment file with every variable, its default and its meaning");

    config_source source{program::ingest, process_environment()};
    source.add_flags(app);
    auto* const run_command =
        app.add_subcommand("run", "Run the service (the default without a command)")->fallthrough();
    auto* const check_command =
        app.add_subcommand(
               "check", "Check the configuration, and whether brokers, topics and the database can be reached")
            ->fallthrough();
    auto* const send_command =
        app.add_subcommand("send", "Sign a webhook and send it, to test a deployment")->fallthrough();
    ingest::send_options options;
    ingest::add_send_flags(*send_command, options);

    try {
        app.parse(count, arguments);
    } catch (CLI::ParseError const& stopped) {
        return app.exit(stopped) == 0 ? done : wrong_usage;
    }
    try {
        if (print_example) return std::fputs(example_file(program::ingest).c_str(), stdout) < 0 ? failed : done;
        if (*send_command) return send(source, options);
        if (*check_command) return check(source);
        static_cast<void>(run_command);
        return run(source);
    } catch (config_error const& faults) {
        std::fprintf(stderr, "clerk-ingest cannot start:\n%s\n", faults.what());
        return wrong_usage;
    } catch (std::exception const& fault) {
        std::fprintf(stderr, "clerk-ingest: %s\n", fault.what());
        return failed;
    }
}
