#include "common/config/config_text.hpp"
#include "common/kafka/assignment_strategy.hpp"
#include "common/kafka/known_faults.hpp"
#include "common/postgres/probe.hpp"
#include "common/postgres/session.hpp"
#include "common/postgres/statement.hpp"
#include "worker/apply/store.hpp"
#include "worker/consume/topics.hpp"
#include "worker/operate/commands.hpp"
#include "worker/operate/kafka_groups.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <iostream>

namespace clerk_strapi::worker::commands
{

namespace
{

void report(bool good, std::string const& what, std::string const& detail)
{
    std::cout << (good ? "ok     " : "FAULT  ") << what << (detail.empty() ? "" : ": " + detail) << '\n';
}

bool check_kafka(worker_config const& config)
{
    kafka_topics const kafka{config.kafka};
    auto const found = kafka.look(config.topics.all());
    report(found.fault.empty(), "brokers " + config.kafka.brokers, found.fault);
    if (!found.fault.empty()) return false;
    auto good = true;
    for (auto const& topic : found.topics) {
        auto const there = topic.partitions > 0;
        auto const sound = topic.cleanup_policy.empty() || topic.cleanup_policy == "delete";
        report(there && sound, "topic " + topic.name,
            !there      ? "missing; run `clerk-worker topics`"
                : sound ? ""
                        : "cleanup.policy is " + topic.cleanup_policy + ", but must be delete");
        good = good && there && sound;
    }
    return good;
}

// The brokers reject a member that has no strategy in common with its group.
bool check_group(group_state const& group, std::string const& strategy)
{
    auto const names = config_text::split_list(strategy);
    auto const alike = group.strategy.empty() || std::find(names.begin(), names.end(), group.strategy) != names.end();
    auto const members = std::to_string(group.members) + (group.members == 1 ? " member" : " members");
    if (alike)
        report(true, "group " + group.name, members);
    else
        report(false, "group " + group.name,
            members + " with the assignment strategy " + group.strategy + ", but this configuration has " + strategy
                + ": stop all workers of the group before you change KAFKA_PARTITION_ASSIGNMENT_STRATEGY");
    return alike;
}

bool check_groups(worker_config const& config)
{
    auto const& strategy = config.assignment_strategy;
    if (strategy != kafka::default_strategy)
        report(true, "assignment strategy " + strategy,
            "eager and cooperative workers cannot share a group; stop all workers of the group before you change it");
    auto good = true;
    for (auto const& group : describe_groups(config.kafka,
             {group_of(config, "events"), group_of(config, "user-provisioning"), group_of(config, "snapshots")}))
        good = check_group(group, strategy) && good;
    return good;
}

bool check_connection(worker_config const& config)
{
    auto const found = postgres::probe(config.conninfo());
    auto const good = found.fault.empty();
    report(good, "database", good ? found.server + ", " + found.protection : found.fault);
    return good;
}

constexpr auto pooled_by_transaction = "the connection goes through a transaction pooler, which loses prepared "
                                       "statements; connect directly, or let the pooler pool by session";

// A transaction pooler may run each transaction in another server session, where our prepared statements do not exist.
bool check_session(worker_config const& config)
{
    auto first = 0;
    auto same = true;
    postgres::session session{config.conninfo,
        [](postgres::any_connection& connection) { connection.prepare("pooler_probe", "select pg_backend_pid()"); }};
    for (auto attempt = 0; attempt < 5; ++attempt) {
        auto const result = session.run([&](pqxx::work& work) {
            auto const pid = postgres::exec_prepared_one(work, "pooler_probe")[0].as<int>();
            same = same && (first == 0 || first == pid);
            first = pid;
        });
        if (result.outcome != postgres::work_outcome::done) {
            auto const pooled = result.sqlstate == "26000" || result.sqlstate == "42P05";
            report(false, "database", pooled ? pooled_by_transaction : result.detail);
            return false;
        }
    }
    if (!same) report(false, "database", pooled_by_transaction);
    return same;
}

bool check_strapi(worker_config const& config)
{
    strapi_store store{config.conninfo, config.store};
    auto const result = store.check();
    auto const good = result.status == apply_status::applied;
    report(good, "Strapi's tables", result.detail);
    if (good) {
        for (auto const& profile : store.schema()->profiles)
            report(true, "profile type " + profile.uid, profile.table + ", linked by " + profile.link.name);
    }
    return good;
}

int check(worker_config const& config)
{
    report(true, "configuration", "");
    for (auto const& sentence : kafka::known_faults(kafka::loaded_library(), config.kafka.extra))
        std::cout << "warn   " << sentence << '\n';
    for (auto const& sentence : config.warnings)
        std::cout << "warn   " << sentence << '\n';
    auto const kafka = check_kafka(config) && check_groups(config);
    auto const database = check_connection(config) && check_session(config) && check_strapi(config);
    std::cout << (kafka && database ? "check: the worker can run\n"
                                    : "check: the worker cannot run; fix what FAULT names\n");
    return kafka && database ? exit_done : exit_failed;
}

constexpr auto footer = R"(Prints one line per check: ok, warn or FAULT. A FAULT line says what to fix. Run it with the
configuration and the database user of the worker, before the first start and after each upgrade.

Exit codes: 0 the worker can run, 1 it cannot, 2 wrong usage or configuration.)";

}

subcommand add_check(CLI::App& app)
{
    auto* const command = app.add_subcommand(
        "check", "Check configuration, brokers, topics, database, rights and Strapi's tables; change nothing");
    command->footer(footer);
    return {command, [](config_source& source) { return check(load_config(source, {})); }};
}

}
