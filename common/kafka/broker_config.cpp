#include "common/kafka/broker_config.hpp"

#include "common/kafka/broker_list.hpp"

#include <utility>

namespace clerk_strapi::kafka
{

std::string read_brokers(config_source& source, std::map<std::string, std::string> const& properties)
{
    constexpr auto name = "KAFKA_BROKERS";
    auto const text = source.text(name);
    if (text.empty()) return {};
    auto const protocol = properties.find("security.protocol");
    auto list = check_broker_list(text, protocol == properties.end() ? "" : protocol->second);
    if (list) return *list;
    source.fault(name, std::move(list.error().what));
    return {};
}

}
