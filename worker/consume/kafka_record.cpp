#include "worker/consume/kafka_record.hpp"

#include <librdkafka/rdkafka.h>

namespace clerk_strapi::worker
{

message_pointer hold_message(rd_kafka_message_s* message)
{
    return {message, [](rd_kafka_message_t* held) {
                if (held != nullptr) rd_kafka_message_destroy(held);
            }};
}

event_record record_of(message_pointer message, std::string_view cluster, std::string_view topic)
{
    event_record record;
    record.cluster = cluster;
    record.topic = topic;
    record.partition = message->partition;
    record.offset = message->offset;
    if (message->key != nullptr)
        record.key = std::string_view{static_cast<char const*>(message->key), message->key_len};
    if (message->payload != nullptr)
        record.value = std::string_view{static_cast<char const*>(message->payload), message->len};
    auto kind = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
    auto const time = rd_kafka_message_timestamp(message.get(), &kind);
    if (kind != RD_KAFKA_TIMESTAMP_NOT_AVAILABLE) record.timestamp_ms = time;
    rd_kafka_headers_t* headers = nullptr;
    if (rd_kafka_message_headers(message.get(), &headers) == RD_KAFKA_RESP_ERR_NO_ERROR) {
        char const* name = nullptr;
        void const* value = nullptr;
        std::size_t size = 0;
        for (std::size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR;
             ++i) {
            record_header header{name, std::nullopt};
            if (value != nullptr) header.value = std::string_view{static_cast<char const*>(value), size};
            record.headers.push_back(header);
        }
    }
    record.memory = std::move(message);
    return record;
}

}
