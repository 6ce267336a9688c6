#pragma once

// Builds librdkafka's configuration, in this order: our defaults, the operator's properties, and the properties that an
// invariant depends on. librdkafka's log messages go to our log, rate-limited. Errors do not: each client needs an
// error callback that passes them to client_errors.

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
    std::map<std::string, std::string> extra; // under librdkafka's names: the operator's KAFKA_A_B
    std::function<void(std::string_view json)> statistics{}; // for the metrics; on the thread that serves the client
};

struct property_fault
{
    std::string property;
    std::string message; // names the fix, never the value of a password or key
};
// The properties that librdkafka or this program would reject at start, so that all faults are reported at once.
[[nodiscard]] std::vector<property_fault> check_properties(std::map<std::string, std::string> const& properties);

// Whether the property's value must not appear in any output (I6).
[[nodiscard]] bool may_hold_a_secret(std::string_view property);

// Whether librdkafka's statistics (JSON) show a connected broker; for producers and consumers.
[[nodiscard]] bool any_broker_up(std::string_view statistics);
// Of a consumer: whether it was a member of its group, without a rebalance, when the statistics were made.
[[nodiscard]] bool group_is_steady(std::string_view statistics);

class client_config
{
public:
    // Sets brokers, client id, keep-alives and the log. Throws std::invalid_argument on a rejected property.
    explicit client_config(client_settings const& settings);

    // For our own properties. Throws std::invalid_argument.
    void set(std::string const& property, std::string const& value);
    // For properties that only newer versions of librdkafka have; older ones ignore them.
    void set_if_known(std::string const& property, std::string const& value);
    // Sets the operator's properties. Call it after the defaults and before the properties that must not be overridden.
    void apply_extra();

    [[nodiscard]] rd_kafka_conf_s* get() const { return conf_.get(); }
    // For rd_kafka_new, which owns the configuration when it succeeds.
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
