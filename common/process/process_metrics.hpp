#pragma once

// The process metrics of Prometheus' own client libraries, under the same names: CPU, resident memory, descriptors,
// start time. Read from /proc at each scrape; a value that cannot be read is left out.

#include <prometheus/metric_family.h>

#include <vector>

namespace clerk_strapi
{

[[nodiscard]] std::vector<prometheus::MetricFamily> process_metrics();

}
