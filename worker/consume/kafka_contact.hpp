#pragma once

// The check `topics` of /readyz, and the worker's part of clerk_sync.kafka_contact: while the brokers respond and all
// topics exist, it records that this path to Kafka works, and it removes old rows. Has its own thread (topic_watch). A
// missing table or right is logged once, with the fix, and pauses nothing.

#include "common/event/sha256.hpp"
#include "common/http/admin_endpoint.hpp"
#include "common/kafka/topic_watch.hpp"
#include "common/postgres/session.hpp"
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

    // From any thread. A topic that is deleted later fails the check.
    [[nodiscard]] health_check health() const;

private:
    void on_findings(kafka::findings const& found); // on the watch's thread
    void update_missing(kafka::findings const& found);
    void record();
    void log_advice(postgres::work_result const& result);

    postgres::session::conninfo_source conninfo_;
    sha256_digest fingerprint_;
    std::chrono::steady_clock::time_point record_at_; // not before
    std::string logged_; // the last advice

    mutable std::mutex mutex_;
    bool answered_{false}; // the brokers responded once since the start
    std::string missing_; // topics, at the last response
    kafka::topic_watch watch_; // last: its thread uses all of the above
};

}
