#pragma once

// A message of librdkafka as the worker's record: views into the message, which lives as long as the record.

#include "worker/ports.hpp"

#include <memory>
#include <string_view>

struct rd_kafka_message_s;

namespace clerk_strapi::worker
{

using message_pointer = std::shared_ptr<rd_kafka_message_s>;

// Takes ownership of a message from librdkafka; null is allowed.
[[nodiscard]] message_pointer hold_message(rd_kafka_message_s* message);

// `cluster` and `topic` must outlive the record.
[[nodiscard]] event_record record_of(message_pointer message, std::string_view cluster, std::string_view topic);

}
