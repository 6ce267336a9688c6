#include "worker/operate/topic_scan.hpp"

#include <chrono>

namespace clerk_strapi::worker::commands
{

namespace
{

using namespace std::chrono_literals;

constexpr auto silence_max = 30s;

}

result<void, failure> read_topic(topic_scan const& scan, kafka_topic_reader& reader, stop_signal const& stop,
    std::function<result<bool, failure>(std::vector<event_record>&)> const& take)
{
    reader.begin(scan.topic, scan.ranges);
    auto received_at = std::chrono::steady_clock::now();
    while (!reader.finished()) {
        if (stop.requested()) return failure{scan.when_stopped};
        auto records = reader.poll(100ms, scan.batch_records);
        auto const now = std::chrono::steady_clock::now();
        if (records.empty()) {
            if (now - received_at > silence_max) return failure{"the brokers sent nothing for 30 s: " + reader.fault()};
            continue;
        }
        received_at = now;
        auto const next = take(records);
        if (!next) return next.error();
        if (!*next) break;
    }
    return {};
}

}
