#include "common/log/log_metrics.hpp"

#include "common/log/logging.hpp"

#include <prometheus/counter.h>

#include <utility>

namespace clerk_strapi
{

log_drops::log_drops(prometheus::Registry& registry, std::string const& program)
    : counter_{prometheus::BuildCounter()
                   .Name(program + "_log_lines_dropped_total")
                   .Help("Log lines that were dropped because nobody read them, or the disk was full")
                   .Register(registry)
                   .Add({})}
    , told_{log::dropped_lines()}
{
}

void log_drops::update()
{
    auto const all = log::dropped_lines();
    auto const fresh = all - std::exchange(told_, all);
    if (fresh == 0) return;
    counter_.Increment(static_cast<double>(fresh));
    log::warning("log lines were dropped: they are not read as fast as they are written", {{"lines", fresh}});
}

}
