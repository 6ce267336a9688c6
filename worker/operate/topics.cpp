#include "worker/consume/topics.hpp"
#include "worker/operate/commands.hpp"

#include <CLI/CLI.hpp>

#include <iostream>
#include <memory>

namespace clerk_strapi::worker::commands
{

namespace
{

constexpr auto footer = R"(Needs the Kafka right to create topics, or run it with --check. Changes no topic that exists.

Examples:
  clerk-worker topics --replication 3     create missing topics with three replicas
  clerk-worker topics --check             only report what is missing or wrong

Exit codes: 0 all topics are right, 1 some are not, or the brokers cannot be reached, 2 wrong usage or configuration.)";

struct topics_options
{
    int partitions{12};
    int replication{3};
    bool check_only{false};
};

std::vector<wanted_topic> wanted_topics(topic_names const& names)
{
    constexpr auto day = std::chrono::hours{24};
    return {
        {names.user_events, 30 * day},
        {names.provisioning, 7 * day},
        {names.snapshots, 7 * day},
        {names.dead_letters, 90 * day},
    };
}

// Compaction would break I2; the exit code is 1.
bool is_sound(topic_state const& state)
{
    if (state.cleanup_policy.empty() || state.cleanup_policy == "delete") return true;
    std::cout << "  " << state.name << ": cleanup.policy is " << state.cleanup_policy
              << ", but must be delete: compaction keeps the last record of a user, which can be the older version\n";
    return false;
}

// The former topic is never created, and listed until it is deleted.
void print_former(worker_config const& config, topic_state const& state)
{
    std::cout << "former     " << state.name << "  replaced by " << config.topics.provisioning << "; ";
    auto const group = group_of(config, former_pipeline);
    auto const records = kafka_topics::uncommitted(config.kafka, group, state.name, state.partitions);
    if (!records)
        std::cout << "cannot read the committed offsets of group " << group << "; run this again\n";
    else if (*records > 0)
        std::cout << *records << " records are not applied yet: keep the topic while the workers apply them\n";
    else
        std::cout
            << "all its records are applied: delete the topic when no ingest of the previous version runs any more\n";
}

bool create(kafka_topics const& kafka, wanted_topic const& topic, topics_options const& options)
{
    auto const created = kafka.create(topic, options.partitions, options.replication);
    if (created.existed) {
        std::cout << "present    " << topic.name << "  another command has just created it\n";
        return true;
    }
    if (created.fault.empty()) {
        std::cout << "created    " << topic.name << "  " << options.partitions << " partitions, replication "
                  << options.replication << ", retention " << topic.retention.count() / 24 << " days\n";
        return true;
    }
    std::cout << "missing    " << topic.name << "  could not be created: " << created.fault << '\n';
    return false;
}

int topics(worker_config const& config, topics_options const& options)
{
    kafka_topics const kafka{config.kafka};
    auto names = config.topics.all();
    auto const former = config.topics.former_provisioning();
    if (!former.empty()) names.push_back(former);
    auto const report = kafka.look(names);
    if (!report.fault.empty()) {
        std::cerr << "topics: cannot reach the brokers of KAFKA_BROKERS (" << config.kafka.brokers
                  << "): " << report.fault << '\n';
        return exit_failed;
    }
    auto good = true;
    auto const wanted = wanted_topics(config.topics);
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        auto const& state = report.topics[i];
        if (state.partitions > 0) {
            std::cout << "present    " << state.name << "  " << state.partitions << " partitions, replication "
                      << state.replication;
            if (!state.cleanup_policy.empty())
                std::cout << ", cleanup.policy " << state.cleanup_policy << ", min.insync.replicas "
                          << state.min_insync;
            std::cout << '\n';
            good = is_sound(state) && good;
        } else if (options.check_only) {
            std::cout << "missing    " << state.name << '\n';
            good = false;
        } else {
            good = create(kafka, wanted[i], options) && good;
        }
    }
    if (!former.empty() && report.topics.back().partitions > 0) print_former(config, report.topics.back());
    std::cout << (good ? "topics: done\n" : "topics: fix the lines marked missing, or the settings named above\n");
    return good ? exit_done : exit_failed;
}

}

subcommand add_topics(CLI::App& app)
{
    auto const options = std::make_shared<topics_options>();
    auto* const command = app.add_subcommand("topics", "Create missing topics, and check the others");
    command->footer(footer);
    command->add_option("--partitions", options->partitions, "Partitions of a new topic")->capture_default_str();
    command->add_option("--replication", options->replication, "Replicas of a new topic")->capture_default_str();
    command->add_flag("--check", options->check_only, "Check only; create nothing");
    return {command,
        [options](config_source& source) { return topics(load_config(source, {.database = false}), *options); }};
}

}
