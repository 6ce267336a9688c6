#pragma once

// librdkafka's statistics as gauges and counters. The label `client` names each producer and consumer of the program. A
// client's statistics are read at most every two seconds, on the thread that serves the client.

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

#include <prometheus/registry.h>

namespace clerk_strapi::kafka
{

// The figures that an operator needs. Totals count from the start of the client.
struct client_statistics
{
    double brokers_up{0};
    double queued_records{0}; // of a producer: not yet acknowledged
    double sent_bytes{0};
    double received_bytes{0};
    double request_timeouts{0};
    double request_retries{0};
    double round_trip_seconds{0}; // the 99th percentile of the slowest broker, in the last interval
};
// Reads librdkafka's JSON. A missing or unexpected member counts as zero.
[[nodiscard]] client_statistics read_statistics(std::string_view json);

class client_metrics
{
public:
    explicit client_metrics(prometheus::Registry& registry);

    // For client_settings::statistics. Creates the series of this client.
    [[nodiscard]] std::function<void(std::string_view json)> observer(std::string const& client);

private:
    struct series;

    prometheus::Family<prometheus::Gauge>& brokers_up_;
    prometheus::Family<prometheus::Gauge>& queued_records_;
    prometheus::Family<prometheus::Gauge>& round_trip_;
    prometheus::Family<prometheus::Counter>& sent_bytes_;
    prometheus::Family<prometheus::Counter>& received_bytes_;
    prometheus::Family<prometheus::Counter>& request_timeouts_;
    prometheus::Family<prometheus::Counter>& request_retries_;
};

}
