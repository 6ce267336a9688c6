#pragma once

// What Prometheus' own clients tell of every process, under the names they use: CPU, resident memory, descriptors,
// start time. Read from /proc at each scrape; what cannot be read is left out, never guessed.

#include <prometheus/metric_family.h>

#include <vector>

namespace clerk_strapi
{

[[nodiscard]] std::vector<prometheus::MetricFamily> process_metrics();

}
