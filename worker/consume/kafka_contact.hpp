#pragma once

// The worker's view of its topics for /readyz, and its part of clerk_sync.kafka_contact: while the brokers answer and
// all topics exist it records that this way to Kafka works, and it removes old rows. Has a thread of its own
// (topic_watch); a table or a right that is missing is logged once, with what to do, and pauses nothing.

#include "common/event/sha256.hpp"
#include "common/kafka/topic_watch.hpp"
#include "common/postgres/session.hpp"
#include "common/http/admin_endpoint.hpp"
#include "worker/config.hpp"

#include <chrono>
#include <mutex>
#include <string>

namespace clerk_strapi::worker
{

class kafka_contact
{
public:
    explicit kafka_contact(worker_config const& config);

    // From any thread. Needed for readiness, and not sticky: a topic that was deleted shows at the next look.
    [[nodiscard]] health_check health() const;

private:
    void take(kafka::findings const& found); // on the watch's thread
    void note(kafka::findings const& found);
    void record();
    void note_trouble(postgres::work_result const& result);

    postgres::session::conninfo_source conninfo_;
    sha256_digest fingerprint_;
    std::chrono::steady_clock::time_point record_at_; // not before
    std::string logged_; // advice

    mutable std::mutex mutex_;
    bool answered_{false}; // once since the start
    std::string missing_; // topics, at the last answer
    kafka::topic_watch watch_; // last: its thread uses all of the above
};

}
