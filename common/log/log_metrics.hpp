#pragma once

// Counts the log lines that were dropped, because a log with gaps must not look complete (F32). One thread calls
// update() regularly; it also logs the number, for the time when the log is read again.

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
    std::size_t counted_{0};
};

}
