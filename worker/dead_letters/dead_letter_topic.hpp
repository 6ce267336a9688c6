#pragma once

// dead_letters on Kafka: the record as it was, with headers that say why (schemas/README.md).

#include "common/kafka/waiting_producer.hpp"
#include "worker/ports.hpp"

#include <chrono>
#include <string>

namespace clerk_strapi::worker
{

class kafka_dead_letters : public dead_letters
{
public:
    kafka_dead_letters(kafka::client_settings client, std::string topic);

    [[nodiscard]] bool park(event_record const& record, park_verdict const& verdict) override;
    [[nodiscard]] bool brokers_up() const { return producer_.brokers_up(); }
    [[nodiscard]] std::string trouble() const { return producer_.trouble(); }

private:
    std::string topic_;
    kafka::waiting_producer producer_;
};

}
