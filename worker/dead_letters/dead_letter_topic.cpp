#include "worker/dead_letters/dead_letter_topic.hpp"

#include "common/event/cloud_event.hpp"
#include "common/event/time_text.hpp"
#include "common/log/logging.hpp"
#include "worker/consume/record_trail.hpp"

namespace clerk_strapi::worker
{

namespace
{

using namespace std::chrono_literals;

constexpr auto publish_timeout = 10s;

kafka::producer_options options_for(std::string const& topic)
{
    kafka::producer_options options;
    options.queue_bytes_max = 4 * 1024 * 1024; // one record at a time
    options.topics = {topic};
    return options;
}

// At most one warning per second, the others at debug: a flood of records must not flood the log.
void log_dead_letter(event_record const& record, dead_letter_cause const& cause)
{
    static log::repeat_limit limit{1s};
    auto const held_back = limit.pass();
    auto const trail = trail_of(record.view());
    log::write(held_back ? log::level::warning : log::level::debug, "record dead-lettered",
        {{"reason", cause.name()}, {"detail", cause.detail}, {"event_id", trail.event_id}, {"clerk_id", trail.clerk_id},
            {"trace_id", trail.trace_id}, {"topic", record.topic}, {"partition", record.partition},
            {"offset", record.offset}, {"held_back", held_back.value_or(0)}});
}

}

kafka_dead_letters::kafka_dead_letters(kafka::client_settings client, std::string topic)
    : topic_(std::move(topic))
    , producer_(std::move(client), options_for(topic_))
{
}

bool kafka_dead_letters::publish(event_record const& record, dead_letter_cause const& cause)
{
    auto const partition = std::to_string(record.partition);
    auto const offset = std::to_string(record.offset);
    auto const time = rfc3339(std::chrono::system_clock::now());
    std::vector<kafka::header> headers;
    headers.reserve(record.headers.size() + 7); // the dlq_ headers
    for (auto const& header : record.headers)
        headers.push_back({header.name, header.value.value_or("")});
    headers.push_back({dead_letter::reason, cause.name()});
    headers.push_back({dead_letter::detail, cause.detail});
    headers.push_back({dead_letter::topic, record.topic});
    headers.push_back({dead_letter::partition, partition});
    headers.push_back({dead_letter::offset, offset});
    headers.push_back({dead_letter::attempts, "1"});
    headers.push_back({dead_letter::time, time});

    kafka::outgoing_record outgoing{topic_, record.key, record.value.value_or(""), headers};
    auto outcome = producer_.publish_and_wait(outgoing, publish_timeout);
    if (outcome == kafka::published::too_large) {
        // With the reason's headers, a record of the largest size is too large. Its body is still in its own topic, at
        // dlq_topic, dlq_partition and dlq_offset, until retention removes it.
        outgoing.value = "";
        outcome = producer_.publish_and_wait(outgoing, publish_timeout);
    }
    if (outcome != kafka::published::persisted) return false;
    log_dead_letter(record, cause);
    return true;
}

}
