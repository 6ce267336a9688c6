#pragma once

// The loop of the commands that read Kafka: reads parts of one topic to their end, without a consumer group.

#include "common/process/stop_signal.hpp"
#include "worker/consume/topic_reader.hpp"
#include "worker/operate/failure.hpp"

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace clerk_strapi::worker::commands
{

struct topic_scan
{
    std::string topic;
    std::vector<partition_range> ranges;
    std::size_t batch_records{500};
    std::string when_stopped{"stopped"}; // the failure when a stop is requested
};

// Calls `take` with each batch, until the end of the ranges or until it returns false. Fails when `take` fails, when a
// stop is requested between two batches, and when the brokers send nothing for 30 s.
[[nodiscard]] result<void, failure> read_topic(topic_scan const& scan, kafka_topic_reader& reader,
    stop_signal const& stop, std::function<result<bool, failure>(std::vector<event_record>&)> const& take);

}
