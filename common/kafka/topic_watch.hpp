#pragma once

// Queries the brokers for our topics until all exist, and then at intervals. It has its own thread and its own client,
// because a query blocks and the producers' threads must not. Creates nothing.

#include "common/kafka/probe.hpp"

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace clerk_strapi::kafka
{

struct topic_watch_settings
{
    client_settings client;
    std::vector<std::string> topics;
    // The interval between queries when all topics exist; nothing: the watch then ends and closes its connection.
    std::optional<std::chrono::milliseconds> again_after{};
    std::chrono::milliseconds retry_longest{2'000}; // while a topic is missing
};

class topic_watch
{
public:
    // Called after every query, on the watch's thread; it may block.
    using listener = std::function<void(findings const&)>;

    // Does not wait for brokers. Throws std::invalid_argument or std::runtime_error on bad settings.
    topic_watch(topic_watch_settings settings, listener on_findings);
    ~topic_watch(); // stops, and waits at most 5 s for the current query
    topic_watch(topic_watch const&) = delete;
    topic_watch& operator=(topic_watch const&) = delete;

    // Returns at once; the thread ends after the current query.
    void begin_stop();

private:
    void run();
    [[nodiscard]] bool wait(std::chrono::milliseconds time); // false: stop

    topic_watch_settings settings_;
    listener listener_;
    std::unique_ptr<topic_prober> prober_; // of the thread
    std::mutex mutex_;
    std::condition_variable changed_;
    bool stopping_{false};
    std::thread thread_;
};

}
