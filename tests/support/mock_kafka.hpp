#pragma once

// A Kafka cluster in this process (librdkafka's mock, over TCP) with functions for its faults, and a reader that is
// independent of the product's code.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

struct rd_kafka_s;
struct rd_kafka_mock_cluster_s;

namespace clerk_strapi::tests
{

struct stored_record
{
    std::optional<std::string> key;
    std::string value;
    std::map<std::string, std::string> headers;
};

class mock_kafka
{
public:
    mock_kafka();
    ~mock_kafka();
    mock_kafka(mock_kafka const&) = delete;
    mock_kafka& operator=(mock_kafka const&) = delete;

    [[nodiscard]] std::string brokers() const;
    void go_down();
    void come_back();
    // Every request takes this long; 0 ends it.
    void slow_down(int milliseconds);
    // The next produce requests fail with this error of the protocol.
    void refuse_next_produces(int error_code, int count);

    // All records of the topic up to its current end.
    [[nodiscard]] std::vector<stored_record> records(std::string const& topic) const;
    [[nodiscard]] std::vector<stored_record> records_with_id(std::string const& topic, std::string const& ce_id) const;

    // What a consumer group has committed, summed over the topic's partitions.
    [[nodiscard]] std::int64_t committed(std::string const& group, std::string const& topic) const;

private:
    rd_kafka_s* host_;
    rd_kafka_mock_cluster_s* cluster_;
};

}
