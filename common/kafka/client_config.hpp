#pragma once

// From our settings to librdkafka's. Ours come first, then what the operator handed through, then what a
// promise rests on, which nobody may change. librdkafka's own log lines go to our log, rate-limited. Errors do not:
// each client needs an error callback that passes them to client_errors.

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

struct rd_kafka_conf_s;

namespace clerk_strapi::kafka
{

struct client_settings
{
    std::string brokers; // host:port, comma-separated
    std::string client_id;
    std::map<std::string, std::string> extra; // librdkafka's names: what KAFKA_A_B handed through
    std::function<void(std::string_view json)> statistics{}; // for the metrics; on the thread that serves the client
};

struct property_fault
{
    std::string property;
    std::string message; // names the fix, never the value of a password or key
};
// What librdkafka would refuse at start, and what we refuse: for telling every fault at once.
[[nodiscard]] std::vector<property_fault> check_properties(std::map<std::string, std::string> const& properties);

// A property whose value may appear in no output (I6).
[[nodiscard]] bool may_hold_a_secret(std::string_view property);

// Whether librdkafka's statistics (JSON) show a broker whose connection is up: for producers and consumers alike.
[[nodiscard]] bool any_broker_up(std::string_view statistics);
// Of a consumer: it is a member of its group, and no rebalance was under way when they were made.
[[nodiscard]] bool group_is_steady(std::string_view statistics);

class client_config
{
public:
    // With brokers, client id, keep-alives and the log; throws std::invalid_argument on a refused property.
    explicit client_config(client_settings const& settings);

    // For properties of ours; throws std::invalid_argument.
    void set(std::string const& property, std::string const& value);
    // For properties that only a newer librdkafka has; an older one ignores them.
    void set_if_known(std::string const& property, std::string const& value);
    // The operator's, over ours: call it after the defaults and before what must not be overridden.
    void apply_extra();

    [[nodiscard]] rd_kafka_conf_s* get() const { return conf_.get(); }
    // For rd_kafka_new, which takes it over when it succeeds.
    [[nodiscard]] rd_kafka_conf_s* release() { return conf_.release(); }

private:
    struct destroy
    {
        void operator()(rd_kafka_conf_s* conf) const;
    };
    std::unique_ptr<rd_kafka_conf_s, destroy> conf_;
    std::map<std::string, std::string> extra_;
};

}
