#include "common/kafka/client_config.hpp"

#include "common/config/variables.hpp"
#include "common/log/logging.hpp"

#include <librdkafka/rdkafka.h>

#include <array>
#include <stdexcept>

namespace clerk_strapi::kafka
{
namespace
{

// Every client has an error callback that receives the same errors and hides secrets.
bool is_reported_as_error(std::string_view facility) { return facility == "FAIL" || facility == "ERROR"; }

void on_log(rd_kafka_t const*, int severity, char const* facility, char const* text)
{
    if (is_reported_as_error(facility)) return;
    if (severity >= 7) return log::debug("librdkafka wrote a log message", {{"facility", facility}, {"detail", text}});
    if (severity >= 5) return log::info("librdkafka wrote a log message", {{"facility", facility}, {"detail", text}});
    static log::repeat_limit limit{std::chrono::seconds{5}};
    if (auto const held_back = limit.pass()) {
        log::warning(
            "librdkafka wrote a warning", {{"facility", facility}, {"detail", text}, {"held_back", *held_back}});
    }
}

// Empty when librdkafka accepts the value.
std::string try_set(rd_kafka_conf_t* conf, std::string const& property, std::string const& value)
{
    std::array<char, 512> why{};
    auto const answer = rd_kafka_conf_set(conf, property.c_str(), value.c_str(), why.data(), why.size());
    if (answer == RD_KAFKA_CONF_OK) return {};
    if (answer == RD_KAFKA_CONF_UNKNOWN) return "is not a property of this librdkafka: correct its name or remove it";
    return may_hold_a_secret(property) ? "has a value that librdkafka rejects" : std::string{why.data()};
}

}

void client_config::destroy::operator()(rd_kafka_conf_s* conf) const { rd_kafka_conf_destroy(conf); }

bool may_hold_a_secret(std::string_view property)
{
    return property.find("password") != std::string_view::npos || property.find("pem") != std::string_view::npos
        || property.find("secret") != std::string_view::npos || property.find("token") != std::string_view::npos
        || property == "sasl.username" || property == "sasl.oauthbearer.config";
}

// Only a broker's state has this text in the statistics, so they need not be parsed.
bool any_broker_up(std::string_view statistics) { return statistics.find(R"("state":"UP")") != std::string_view::npos; }

// Only the consumer group's state has this text.
bool group_is_steady(std::string_view statistics)
{
    return statistics.find(R"("join_state": "steady")") != std::string_view::npos;
}

std::vector<property_fault> check_properties(std::map<std::string, std::string> const& properties)
{
    std::vector<property_fault> faults;
    auto* const conf = rd_kafka_conf_new();
    for (auto const& [property, value] : properties) {
        if (auto const why = why_refused(property))
            faults.push_back({property, "may not be set, because " + std::string{*why}});
        else if (auto fault = try_set(conf, property, value); !fault.empty())
            faults.push_back({property, std::move(fault)});
    }
    rd_kafka_conf_destroy(conf);
    return faults;
}

client_config::client_config(client_settings const& settings)
    : conf_{rd_kafka_conf_new()}
    , extra_{settings.extra}
{
    rd_kafka_conf_set_log_cb(conf_.get(), on_log);
    set("bootstrap.servers", settings.brokers);
    set("client.id", settings.client_id);
    set("socket.keepalive.enable", "true");
    set("socket.nagle.disable", "true"); // on by default: it delays some writes by 40 ms
    set("log.connection.close", "false"); // brokers close idle connections regularly
    set_if_known("enable.metrics.push", "false"); // on by default since 2.5; the operator decides about telemetry
}

void client_config::set(std::string const& property, std::string const& value)
{
    if (auto const fault = try_set(conf_.get(), property, value); !fault.empty()) {
        throw std::invalid_argument{property + ": " + fault};
    }
}

void client_config::set_if_known(std::string const& property, std::string const& value)
{
    std::array<char, 1> why{};
    rd_kafka_conf_set(conf_.get(), property.c_str(), value.c_str(), why.data(), why.size());
}

void client_config::apply_extra()
{
    for (auto const& [property, value] : extra_) {
        if (auto const why = why_refused(property)) {
            throw std::invalid_argument{property + " may not be set, because " + std::string{*why}};
        }
        set(property, value);
    }
}

}
