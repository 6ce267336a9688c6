#include "worker/consume/topics.hpp"
#include "worker/operate/commands.hpp"

#include <iostream>

namespace clerk_strapi::worker::commands
{

namespace
{

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

// What would break a promise: said, and told by the exit code.
bool is_sound(topic_state const& state)
{
    if (state.cleanup_policy.empty() || state.cleanup_policy == "delete") return true;
    std::cout << "  " << state.name << ": cleanup.policy is " << state.cleanup_policy
              << " but must be delete: compaction could evict the newer of two records that came in the wrong order\n";
    return false;
}

// The former topic: never created, and named until it is deleted.
void print_former(worker_config const& config, topic_state const& state)
{
    std::cout << "former     " << state.name << "  replaced by " << config.topics.provisioning << "; ";
    auto const group = group_of(config, former_pipeline);
    auto const records = kafka_topics::uncommitted(config.kafka, group, state.name, state.partitions);
    if (!records)
        std::cout << "the brokers do not say what group " << group << " has committed: run this again\n";
    else if (*records > 0)
        std::cout << *records << " records are not applied yet: keep it while the workers apply them\n";
    else
        std::cout << "all its records are applied: delete it when no ingest of the previous version runs any more\n";
}

bool create(kafka_topics const& kafka, wanted_topic const& topic, topics_options const& options)
{
    auto const fault = kafka.create(topic, options.partitions, options.replication);
    if (fault.empty()) {
        std::cout << "created    " << topic.name << "  " << options.partitions << " partitions, replication "
                  << options.replication << ", kept " << topic.retention.count() / 24 << " days\n";
        return true;
    }
    std::cout << "missing    " << topic.name << "  could not be created: " << fault << '\n';
    return false;
}

}

int topics(worker_config const& config, topics_options const& options)
{
    kafka_topics const kafka{config.kafka};
    auto names = config.topics.all();
    auto const former = config.topics.former_provisioning();
    if (!former.empty()) names.push_back(former);
    auto const report = kafka.look(names);
    if (!report.fault.empty()) {
        std::cerr << "topics: the brokers of KAFKA_BROKERS (" << config.kafka.brokers
                  << ") do not answer: " << report.fault << '\n';
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
    std::cout << (good ? "topics: done\n" : "topics: not all is as it must be\n");
    return good ? exit_done : exit_failed;
}

}
