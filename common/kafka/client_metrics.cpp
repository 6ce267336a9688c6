#include "common/kafka/client_metrics.hpp"

#include <nlohmann/json.hpp>
#include <prometheus/counter.h>
#include <prometheus/gauge.h>

#include <algorithm>
#include <memory>
#include <set>

namespace clerk_strapi::kafka
{
namespace
{

using nlohmann::json;

constexpr std::chrono::milliseconds read_interval{1'900}; // consumers report every 500 ms, for readiness

double number(json const& object, char const* name)
{
    auto const found = object.find(name);
    return found != object.end() && found->is_number() ? found->get<double>() : 0;
}

prometheus::Family<prometheus::Gauge>& gauge(prometheus::Registry& registry, char const* name, char const* help)
{
    return prometheus::BuildGauge().Name(name).Help(help).Register(registry);
}

prometheus::Family<prometheus::Counter>& counter(prometheus::Registry& registry, char const* name, char const* help)
{
    return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
}

}

client_statistics read_statistics(std::string_view text)
{
    client_statistics figures;
    auto const all = json::parse(text, nullptr, false);
    if (!all.is_object()) return figures;
    figures.queued_records = number(all, "msg_cnt");
    figures.sent_bytes = number(all, "tx_bytes");
    figures.received_bytes = number(all, "rx_bytes");
    auto const brokers = all.find("brokers");
    if (brokers == all.end() || !brokers->is_object()) return figures;
    // A broker is listed up to three times: by its id, by its address in KAFKA_BROKERS (-1), and as the coordinator.
    std::set<double> up;
    for (auto const& broker : *brokers) {
        if (!broker.is_object()) continue;
        if (broker.value("state", json{}) == "UP" && number(broker, "nodeid") >= 0) up.insert(number(broker, "nodeid"));
        figures.request_timeouts += number(broker, "req_timeouts");
        figures.request_retries += number(broker, "txretries");
        auto const round_trip = broker.find("rtt");
        if (round_trip != broker.end() && round_trip->is_object())
            figures.round_trip_seconds = std::max(figures.round_trip_seconds, number(*round_trip, "p99") / 1e6);
    }
    figures.brokers_up = static_cast<double>(up.size());
    return figures;
}

struct client_metrics::series
{
    prometheus::Gauge& brokers_up;
    prometheus::Gauge& queued_records;
    prometheus::Gauge& round_trip;
    prometheus::Counter& sent_bytes;
    prometheus::Counter& received_bytes;
    prometheus::Counter& request_timeouts;
    prometheus::Counter& request_retries;
    client_statistics last{};
    std::chrono::steady_clock::time_point read_at{};

    // A recreated client counts from zero again; our counter continues.
    static void count(prometheus::Counter& counter, double now, double before)
    {
        counter.Increment(now >= before ? now - before : now);
    }

    void read(std::string_view text)
    {
        auto const now = std::chrono::steady_clock::now();
        if (now - read_at < read_interval) return;
        read_at = now;
        auto const figures = read_statistics(text);
        brokers_up.Set(figures.brokers_up);
        queued_records.Set(figures.queued_records);
        round_trip.Set(figures.round_trip_seconds);
        count(sent_bytes, figures.sent_bytes, last.sent_bytes);
        count(received_bytes, figures.received_bytes, last.received_bytes);
        count(request_timeouts, figures.request_timeouts, last.request_timeouts);
        count(request_retries, figures.request_retries, last.request_retries);
        last = figures;
    }
};

client_metrics::client_metrics(prometheus::Registry& registry)
    : brokers_up_{gauge(registry, "clerk_kafka_brokers_up", "Kafka brokers to which this client has a connection.")}
    , queued_records_{gauge(registry, "clerk_kafka_queue_records",
          "Records that this producer holds and the brokers have not acknowledged.")}
    , round_trip_{gauge(registry, "clerk_kafka_round_trip_p99_seconds",
          "99th percentile of the slowest broker's response time in the last interval; a consumer's includes waiting.")}
    , sent_bytes_{counter(registry, "clerk_kafka_sent_bytes_total", "Bytes that this client sent to Kafka.")}
    , received_bytes_{counter(
          registry, "clerk_kafka_received_bytes_total", "Bytes that this client received from Kafka.")}
    , request_timeouts_{counter(
          registry, "clerk_kafka_request_timeouts_total", "Requests of this client that Kafka did not answer in time.")}
    , request_retries_{
          counter(registry, "clerk_kafka_request_retries_total", "Requests of this client that were sent again.")}
{
}

std::function<void(std::string_view)> client_metrics::observer(std::string const& client)
{
    prometheus::Labels const labels{{"client", client}};
    auto const made = std::make_shared<series>(
        series{brokers_up_.Add(labels), queued_records_.Add(labels), round_trip_.Add(labels), sent_bytes_.Add(labels),
            received_bytes_.Add(labels), request_timeouts_.Add(labels), request_retries_.Add(labels)});
    return [made](std::string_view text) { made->read(text); };
}

}
