#include "ingest/commands/check.hpp"

#include "common/kafka/known_faults.hpp"
#include "common/kafka/probe.hpp"
#include "common/postgres/probe.hpp"

#include <array>
#include <cstdio>

namespace clerk_strapi::ingest
{
namespace
{

constexpr std::chrono::seconds reach_time{5};

void print_finding(bool good, std::string const& what, std::string const& detail)
{
    std::printf("%-4s %s: %s\n", good ? "ok" : "FAIL", what.c_str(), detail.c_str());
}

bool check_database(config const& settings)
{
    if (!settings.auth.database) return true; // webhooks do not need a database
    auto const found = postgres::probe(settings.auth.database());
    auto const good = found.fault.empty();
    print_finding(good, "database", good ? found.server + ", " + found.protection : found.fault);
    return good;
}

bool check_kafka(config const& settings)
{
    std::array const topics{settings.user_events_topic, settings.provisioning_topic, settings.dead_letters_topic};
    auto const found = kafka::probe(settings.kafka, topics, reach_time);
    if (!found.fault.empty()) {
        print_finding(false, "kafka", "cannot be reached at " + settings.kafka.brokers + ": " + found.fault);
        return false;
    }
    print_finding(true, "kafka", std::to_string(found.brokers) + " broker(s)");
    for (auto const& topic : found.topics) {
        auto const detail = topic.fault.empty() ? std::to_string(topic.partitions) + " partition(s)"
                                                : topic.fault + " (run `clerk-worker topics` to create it)";
        print_finding(topic.fault.empty(), "topic " + topic.name, detail);
    }
    return found.good();
}

}

int check(config const& settings)
{
    print_finding(true, "configuration", "complete");
    if (settings.instance_ids.empty())
        print_finding(true, "warning", "CLERK_INSTANCE_IDS is not set: events of any Clerk instance are published");
    for (auto const& sentence : kafka::known_faults(kafka::loaded_library(), settings.kafka.extra))
        print_finding(true, "warning", sentence);
    for (auto const& sentence : settings.warnings)
        print_finding(true, "warning", sentence);

    auto const database = check_database(settings);
    return check_kafka(settings) && database ? 0 : 1;
}

}
