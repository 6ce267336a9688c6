#pragma once

// The topic to which the previous version published just-in-time provisioning (clerk.first-sights). While it exists, a
// pipeline of its own applies what is left there: an ingest of the previous version may still run in a rolling upgrade.
// `clerk-worker topics` prints when the topic may be deleted.

#include "common/http/admin_endpoint.hpp"
#include "common/kafka/topic_watch.hpp"
#include "worker/config.hpp"
#include "worker/pipeline.hpp"

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace clerk_strapi::worker
{

class former_topic
{
public:
    using maker = std::function<std::unique_ptr<pipeline>(std::string const& topic)>;

    former_topic(worker_config const& config, maker make);

    // Starts the pipeline once the topic is found, and ends it once the topic is deleted. From one thread, each second.
    void update();
    // Ends the statement in progress; the pipeline leaves its group when this object is destroyed.
    void stop();

    // From any thread. Without such a topic there is nothing to apply and no check.
    [[nodiscard]] bool caught_up() const;
    [[nodiscard]] std::optional<pipeline_health> health() const;
    [[nodiscard]] std::optional<std::string> failed_for_good() const;

private:
    std::string topic_;
    maker make_;
    std::atomic<bool> exists_{false};
    mutable std::mutex mutex_;
    std::unique_ptr<pipeline> pipeline_;
    std::optional<kafka::topic_watch> watch_; // last: its thread writes exists_
};

}
