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

constexpr std::chrono::milliseconds read_interval{1'900}; // consumers tell every 500 ms, which is for readiness

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
    client_statistics told;
    auto const all = json::parse(text, nullptr, false);
    if (!all.is_object()) return told;
    told.queued_records = number(all, "msg_cnt");
    told.sent_bytes = number(all, "tx_bytes");
    told.received_bytes = number(all, "rx_bytes");
    auto const brokers = all.find("brokers");
    if (brokers == all.end() || !brokers->is_object()) return told;
    // The addresses of KAFKA_BROKERS (-1) and the group's coordinator are listed beside the brokers that they are.
    std::set<double> up;
    for (auto const& broker : *brokers) {
        if (!broker.is_object()) continue;
        if (broker.value("state", json{}) == "UP" && number(broker, "nodeid") >= 0) up.insert(number(broker, "nodeid"));
        told.request_timeouts += number(broker, "req_timeouts");
        told.request_retries += number(broker, "txretries");
        auto const round_trip = broker.find("rtt");
        if (round_trip != broker.end() && round_trip->is_object())
            told.round_trip_seconds = std::max(told.round_trip_seconds, number(*round_trip, "p99") / 1e6);
    }
    told.brokers_up = static_cast<double>(up.size());
    return told;
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

    // A client that was rebuilt counts from zero again; ours goes on.
    static void count(prometheus::Counter& counter, double now, double before)
    {
        counter.Increment(now >= before ? now - before : now);
    }

    void read(std::string_view text)
    {
        auto const now = std::chrono::steady_clock::now();
        if (now - read_at < read_interval) return;
        read_at = now;
        auto const told = read_statistics(text);
        brokers_up.Set(told.brokers_up);
        queued_records.Set(told.queued_records);
        round_trip.Set(told.round_trip_seconds);
        count(sent_bytes, told.sent_bytes, last.sent_bytes);
        count(received_bytes, told.received_bytes, last.received_bytes);
        count(request_timeouts, told.request_timeouts, last.request_timeouts);
        count(request_retries, told.request_retries, last.request_retries);
        last = told;
    }
};

client_metrics::client_metrics(prometheus::Registry& registry)
    : brokers_up_{gauge(registry, "clerk_kafka_brokers_up", "Kafka brokers to which this client has a connection.")}
    , queued_records_{gauge(registry, "clerk_kafka_queue_records",
          "Records that this producer holds and the brokers have not acknowledged.")}
    , round_trip_{gauge(registry, "clerk_kafka_round_trip_p99_seconds",
          "99th percentile of the slowest broker's answers in the last interval; a consumer's includes waiting.")}
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
