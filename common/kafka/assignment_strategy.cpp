#include "common/kafka/assignment_strategy.hpp"

#include "common/config/config_text.hpp"

#include <librdkafka/rdkafka.h>

#include <algorithm>

namespace clerk_strapi::kafka
{

namespace
{

constexpr std::string_view cooperative = "cooperative-sticky";
constexpr std::string_view eager[] = {"range", "roundrobin"};
constexpr int first_sound_version = 0x020601ff; // 2.6.1

bool is_eager(std::string const& name)
{
    return std::find(std::begin(eager), std::end(eager), name) != std::end(eager);
}

std::string version_text(int version)
{
    auto const part = [&](int shift) { return std::to_string((version >> shift) & 0xff); };
    return part(24) + "." + part(16) + "." + part(8);
}

}

std::optional<std::string> strategy_fault(std::string_view strategy, int librdkafka)
{
    auto const names = config_text::split_list(strategy);
    auto const is_known = [](std::string const& name) { return name == cooperative || is_eager(name); };
    if (names.empty() || !std::all_of(names.begin(), names.end(), is_known))
        return "must be range, roundrobin or cooperative-sticky, but is \"" + std::string{strategy} + "\"";
    auto const eager_names = std::count_if(names.begin(), names.end(), is_eager);
    if (eager_names == static_cast<std::ptrdiff_t>(names.size())) return std::nullopt;
    if (eager_names > 0) return "cannot mix cooperative-sticky with range or roundrobin: keep one kind";
    if (librdkafka >= first_sound_version) return std::nullopt;
    return "cannot be cooperative-sticky with librdkafka " + version_text(librdkafka)
        + ", which can loop at 100 % CPU with it (fixed in 2.6.1): remove the variable, or run the container image or "
          "another system with librdkafka 2.6.1 or newer";
}

std::optional<std::string> strategy_fault(std::string_view strategy)
{
    return strategy_fault(strategy, rd_kafka_version());
}

}
