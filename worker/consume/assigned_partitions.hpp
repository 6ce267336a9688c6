#pragma once

// The partitions that the group assigned to one consumer, with the position of each. The only file that changes
// librdkafka's assignment. A partition is assigned first, and read as soon as its stored position is known.
//
// Both rebalance protocols work, and librdkafka reports which one the group uses:
// - EAGER (range, roundrobin): each rebalance revokes and assigns everything.
// - COOPERATIVE (cooperative-sticky): a rebalance names the partitions that change; the others are read on.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

struct rd_kafka_s;
struct rd_kafka_topic_partition_list_s;

namespace clerk_strapi::worker
{

struct partition_progress
{
    std::int64_t next{0}; // after the last record that poll() returned
    std::int64_t stored{0}; // the stored position, as far as this consumer has seen it
    std::optional<std::int64_t> finished{}; // to be committed to Kafka
    std::optional<std::int64_t> found{}; // stored when reading started; not compared with the topic yet

    // All returned records are applied, or dead-lettered, and their position is stored.
    [[nodiscard]] bool settled() const { return next == stored; }
};

class assigned_partitions
{
public:
    using numbers = std::set<std::int32_t>;

    // The handle of a consumer of one topic. Nothing else may be called before.
    void attach(rd_kafka_s* consumer, std::string topic);

    // From the rebalance callback. Acknowledges at once; the new partitions are not read yet.
    void assigned(rd_kafka_topic_partition_list_s const& partitions);
    // From the rebalance callback. True: the caller's batch is void.
    [[nodiscard]] bool revoked(rd_kafka_topic_partition_list_s const& partitions);

    // Starts partitions of waiting(), each at its stored position, or from the beginning.
    void start(std::map<std::int32_t, std::optional<std::int64_t>> const& positions);
    // No partition is read until it is started again. All stay assigned.
    void stop_all();

    // Stops or continues fetching. Also applies to partitions that start meanwhile.
    void pause();
    void resume();
    [[nodiscard]] bool paused() const { return paused_; }

    [[nodiscard]] numbers const& all() const { return assigned_; }
    [[nodiscard]] numbers waiting() const; // for their positions
    [[nodiscard]] std::map<std::int32_t, partition_progress>& reading() { return reading_; }
    [[nodiscard]] std::map<std::int32_t, partition_progress> const& reading() const { return reading_; }
    [[nodiscard]] bool is_read(std::int32_t partition) const { return reading_.count(partition) > 0; }
    [[nodiscard]] bool cooperative() const { return cooperative_; }

private:
    using list_pointer = std::unique_ptr<rd_kafka_topic_partition_list_s, void (*)(rd_kafka_topic_partition_list_s*)>;

    [[nodiscard]] bool revoke(numbers const& partitions);
    void revoke_all();
    void hand_over(rd_kafka_topic_partition_list_s const& starting);
    void stop(numbers const& partitions);
    void keep_places();
    [[nodiscard]] bool is_settled(std::int32_t partition) const;
    [[nodiscard]] numbers read_numbers() const;
    [[nodiscard]] list_pointer list_of(numbers const& partitions) const;
    void pause_now(numbers const& partitions);
    void resume_now(numbers const& partitions);

    rd_kafka_s* consumer_{nullptr};
    std::string topic_;
    bool cooperative_{false}; // by the last assignment
    bool paused_{false};
    numbers assigned_;
    std::map<std::int32_t, partition_progress> reading_;
};

}
