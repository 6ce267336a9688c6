#pragma once

// Log lines that reached nobody, as a counter: a log with holes must not look whole (F32). Whoever keeps house calls
// update() now and then, from one thread; it also says so in the log, for when somebody reads again.

#include <prometheus/registry.h>

#include <cstddef>
#include <string>

namespace clerk_strapi
{

class log_drops
{
public:
    // `program` is the first part of the metric's name: <program>_log_lines_dropped_total.
    log_drops(prometheus::Registry& registry, std::string const& program);

    void update();

private:
    prometheus::Counter& counter_;
    std::size_t told_{0};
};

}
