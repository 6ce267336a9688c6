#include "common/process/process_metrics.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>
#include <string>
#include <system_error>

#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

namespace clerk_strapi
{
namespace
{

using prometheus::MetricFamily;
using prometheus::MetricType;

MetricFamily family_of(std::string name, std::string help, MetricType type, double value)
{
    MetricFamily family{std::move(name), std::move(help), type, {}};
    auto& metric = family.metric.emplace_back();
    metric.counter.value = metric.gauge.value = value;
    return family;
}

double seconds_of(timeval const& time)
{
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

// The fields after the program's name, which may hold blanks; the first is the state.
std::optional<std::vector<std::string>> stat_fields()
{
    std::ifstream file{"/proc/self/stat"};
    std::string const text{std::istreambuf_iterator<char>{file}, {}};
    auto const end_of_name = text.rfind(')');
    if (end_of_name == std::string::npos) return std::nullopt;
    std::istringstream rest{text.substr(end_of_name + 1)};
    return std::vector<std::string>{std::istream_iterator<std::string>{rest}, {}};
}

// When the kernel booted, in seconds since 1970.
std::optional<double> boot_time()
{
    std::ifstream file{"/proc/stat"};
    for (std::string name; file >> name;) {
        double value = 0;
        if (name == "btime" && file >> value) return value;
        file.ignore(1 << 20, '\n');
    }
    return std::nullopt;
}

std::optional<double> open_descriptors()
{
    std::error_code failed;
    std::filesystem::directory_iterator const entries{"/proc/self/fd", failed};
    if (failed) return std::nullopt;
    return static_cast<double>(std::distance(begin(entries), end(entries)) - 1); // one is the iterator's own
}

}

std::vector<MetricFamily> process_metrics()
{
    constexpr std::size_t start_ticks = 19; // proc(5) counts from 1 and has two fields before these: 22, 24
    constexpr std::size_t resident_pages = 21;
    std::vector<MetricFamily> families;
    rusage used{};
    if (::getrusage(RUSAGE_SELF, &used) == 0)
        families.push_back(family_of("process_cpu_seconds_total", "Processor time of all threads, user and system.",
            MetricType::Counter, seconds_of(used.ru_utime) + seconds_of(used.ru_stime)));
    if (auto const fields = stat_fields(); fields && fields->size() > resident_pages) {
        families.push_back(family_of("process_resident_memory_bytes", "Memory of the process that is in RAM.",
            MetricType::Gauge, std::stod((*fields)[resident_pages]) * static_cast<double>(::sysconf(_SC_PAGESIZE))));
        // Read once: it changes when the clock is set, and that must not look like a restart.
        static auto const boot = boot_time();
        if (boot)
            families.push_back(family_of("process_start_time_seconds",
                "When the process started, in seconds since 1970.", MetricType::Gauge,
                *boot + std::stod((*fields)[start_ticks]) / static_cast<double>(::sysconf(_SC_CLK_TCK))));
    }
    if (auto const open = open_descriptors())
        families.push_back(family_of(
            "process_open_fds", "Open file descriptors: connections, files, pipes.", MetricType::Gauge, *open));
    rlimit allowed{};
    if (::getrlimit(RLIMIT_NOFILE, &allowed) == 0)
        families.push_back(family_of("process_max_fds", "How many file descriptors the process may open.",
            MetricType::Gauge, static_cast<double>(allowed.rlim_cur)));
    return families;
}

}
