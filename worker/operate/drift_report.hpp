#pragma once

// Prints what `reconcile` found: a table, or one JSON object per line, and the sums. Only ids and names of fields,
// never values (I6).

#include "worker/operate/drift.hpp"

#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>

namespace clerk_strapi::worker::commands
{

class drift_report
{
public:
    // `line_start` is written before each line of the table: it clears the progress bar on that line.
    drift_report(std::ostream& out, bool json, std::string line_start = {});

    // One difference. `repaired`: a record that repairs it was published.
    void add(std::string_view clerk_id, drift const& found, bool repaired);

    void count_checked(std::uint64_t users) { checked_ += users; }
    void count_under_way(std::uint64_t users) { under_way_ += users; }
    void count_conflicts(std::uint64_t users) { conflicts_ += users; }
    void count_unusable(std::uint64_t users) { unusable_ += users; }
    void count_deleted(std::uint64_t users) { deleted_ += users; }
    void summarise(bool finished, std::uint64_t requests);

    [[nodiscard]] std::uint64_t extras() const { return extra_; }
    [[nodiscard]] std::uint64_t differences() const { return missing_ + differs_ + tombstoned_ + extra_ + unusable_; }
    // Differences without a published record.
    [[nodiscard]] std::uint64_t left() const { return differences() - repaired_ - deleted_; }

private:
    std::ostream& out_;
    bool json_;
    std::string line_start_;
    std::uint64_t checked_{0};
    std::uint64_t missing_{0};
    std::uint64_t differs_{0};
    std::uint64_t tombstoned_{0};
    std::uint64_t extra_{0};
    std::uint64_t unusable_{0};
    std::uint64_t conflicts_{0};
    std::uint64_t under_way_{0};
    std::uint64_t repaired_{0};
    std::uint64_t deleted_{0};
};

}
