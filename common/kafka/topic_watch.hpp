#pragma once

// Asks the brokers for our topics until all are there, and then now and then again. Has a thread and a client of its
// own: asking blocks, and the producers' threads must not. Creates nothing.

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
    // Between two questions once all topics were found; nothing: the watch then ends and closes its connection.
    std::optional<std::chrono::milliseconds> again_after{};
    std::chrono::milliseconds retry_longest{2'000}; // while something is missing
};

class topic_watch
{
public:
    // Called after every question, on the watch's thread; may block, and then the watch waits.
    using listener = std::function<void(findings const&)>;

    // Does not wait for brokers. Throws std::invalid_argument or std::runtime_error on bad settings.
    topic_watch(topic_watch_settings settings, listener on_findings);
    ~topic_watch(); // stops, and waits for the question under way: 5 s at most
    topic_watch(topic_watch const&) = delete;
    topic_watch& operator=(topic_watch const&) = delete;

    // Returns at once; the thread ends after the question under way.
    void begin_stop();

private:
    void run();
    [[nodiscard]] bool wait(std::chrono::milliseconds time); // false: stop

    topic_watch_settings settings_;
    listener listener_;
    std::unique_ptr<topic_prober> prober_; // the thread's
    std::mutex mutex_;
    std::condition_variable changed_;
    bool stopping_{false};
    std::thread thread_;
};

}
