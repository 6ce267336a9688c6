#pragma once

// Why a client reaches no broker. librdkafka's calls return "transport failure" or "timed out"; the reason (a refused
// login, TLS, a name, a refused connection) comes by its error callback. This keeps the most telling one. It holds no
// value of a property that may be a secret (I6). Safe from several threads.

#include "common/kafka/client_config.hpp"

#include <chrono>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

struct rd_kafka_s;
struct rd_kafka_conf_s;

namespace clerk_strapi::kafka
{

class client_errors
{
public:
    using clock = std::chrono::steady_clock;

    explicit client_errors(client_settings const& settings);

    // For the error callback of a service's client: keeps the reason and logs it, rate-limited.
    void report(int code, std::string_view text);
    // The same without the log. A reason is replaced by one that says as much or more, or when it is two minutes old.
    void keep(int code, std::string_view text, clock::time_point now = clock::now());
    // A broker answered: what was reported before no longer explains anything.
    void clear();

    // The most telling reason, with what to do about a refused login; empty: none was reported.
    [[nodiscard]] std::string reason() const;

    // For clients of commands, which have no callbacks of their own: librdkafka's errors come here. This object must
    // outlive the client.
    void attach(rd_kafka_conf_s* conf);
    // Serves these callbacks. Returns the reason for what a call returned, or else its own text. A slow broker refuses
    // a login later than the call gives up: waits at most `patience` for a reason.
    [[nodiscard]] std::string explain(rd_kafka_s* client, int code, std::chrono::milliseconds patience = {});

private:
    [[nodiscard]] bool knows_the_cause() const;
    [[nodiscard]] std::string without_secrets(std::string text) const;

    std::vector<std::string> secrets_;
    std::string login_advice_;
    mutable std::mutex mutex_;
    int weight_{0}; // 0: no reason
    std::string reason_;
    clock::time_point kept_at_;
};

}
