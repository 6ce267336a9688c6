#pragma once

// Why a client reaches no broker. librdkafka's calls return "transport failure" or "timed out". Its error callback gets
// the reason: a rejected login, TLS, a name, a refused connection. This class keeps the reason that explains most,
// without the values of properties that may be secrets (I6). Thread-safe.

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
    // The same without the log. A new reason replaces one that explains less or as much, or that is two minutes old.
    void keep(int code, std::string_view text, clock::time_point now = clock::now());
    // A broker answered, so earlier errors explain nothing.
    void clear();

    // The reason that explains most, with the fix for a rejected login; empty: none was reported.
    [[nodiscard]] std::string reason() const;

    // For the clients of commands, which have no other callbacks: sends librdkafka's errors here. This object must
    // outlive the client.
    void attach(rd_kafka_conf_s* conf);
    // Serves these callbacks. Returns the reason of a failed call; without one, librdkafka's text for the code. A slow
    // broker may reject a login after the call timed out, so this waits at most `patience` for a reason.
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
