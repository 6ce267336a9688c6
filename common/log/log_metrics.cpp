#include "common/log/log_metrics.hpp"

#include "common/log/logging.hpp"

#include <prometheus/counter.h>

#include <utility>

namespace clerk_strapi
{

log_drops::log_drops(prometheus::Registry& registry, std::string const& program)
    : counter_{prometheus::BuildCounter()
                   .Name(program + "_log_lines_dropped_total")
                   .Help("Log lines that were dropped because they were not read fast enough or the disk was full")
                   .Register(registry)
                   .Add({})}
    , counted_{log::dropped_lines()}
{
}

void log_drops::update()
{
    auto const all = log::dropped_lines();
    auto const fresh = all - std::exchange(counted_, all);
    if (fresh == 0) return;
    counter_.Increment(static_cast<double>(fresh));
    log::warning("log lines were dropped: they are not read as fast as they are written, or the disk is full",
        {{"lines", fresh}});
}

}
