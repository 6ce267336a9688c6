// dev-broker: librdkafka's mock cluster, for the demo and for machines without Kafka. Prints its bootstrap address as
// the first line and serves until SIGTERM. In memory only: at most 5 MiB or 100 000 batches per partition, then it
// drops the oldest without a message. No admin requests, no search by time. Never for production.

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <CLI/CLI.hpp>

#include <array>
#include <csignal>
#include <iostream>
#include <string>
#include <vector>

int main(int argc, char** argv)
{
    CLI::App app{"An in-memory Kafka broker for trying the product out", "dev-broker"};
    auto brokers = 1;
    auto partitions = 12;
    std::vector<std::string> topics{
        "clerk.user-events", "clerk.user-provisioning", "clerk.user-snapshots", "clerk.dead-letters"};
    app.add_option("--brokers", brokers, "Number of brokers")->capture_default_str();
    app.add_option("--partitions", partitions, "Partitions of each topic")->capture_default_str();
    app.add_option("--topic", topics, "Topics to create")->capture_default_str();
    CLI11_PARSE(app, argc, argv);

    // Blocked before librdkafka starts its threads, so that only sigwait() sees them.
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);

    std::array<char, 512> why{};
    auto* const conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "log_level", "3", nullptr, 0); // no warning about the missing list of brokers
    auto* const client = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why.data(), why.size());
    if (client == nullptr) {
        std::cerr << "dev-broker: " << why.data() << '\n';
        return 1;
    }
    auto* const cluster = rd_kafka_mock_cluster_new(client, brokers);
    for (auto const& topic : topics)
        rd_kafka_mock_topic_create(cluster, topic.c_str(), partitions, std::min(brokers, 3));
    std::cout << rd_kafka_mock_cluster_bootstraps(cluster) << std::endl;

    auto caught = 0;
    sigwait(&signals, &caught);
    rd_kafka_mock_cluster_destroy(cluster);
    rd_kafka_destroy(client);
    return 0;
}
