#pragma once

// dead_letters on Kafka: the unchanged record, with headers that give the reason (schemas/README.md).

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

    [[nodiscard]] bool publish(event_record const& record, dead_letter_cause const& cause) override;
    [[nodiscard]] bool brokers_up() const { return producer_.brokers_up(); }
    [[nodiscard]] std::string trouble() const { return producer_.trouble(); }

private:
    std::string topic_;
    kafka::waiting_producer producer_;
};

}
