#pragma once

// clerk_sync.dead_letter_mark: which dead letters were redriven or discarded. One connection, blocking; for commands.

#include "common/postgres/session.hpp"
#include "worker/ports.hpp"

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace clerk_strapi::worker
{

enum class dead_letter_mark {
    redriven, // published again
    discarded, // an operator decided to do nothing
};
[[nodiscard]] std::string_view to_string(dead_letter_mark mark);

using dead_letter_position = std::pair<std::int32_t, std::int64_t>; // partition and offset in the dead-letter topic
using marked_dead_letters = std::map<dead_letter_position, dead_letter_mark>;

class dead_letter_marks
{
public:
    explicit dead_letter_marks(postgres::session::conninfo_source conninfo);

    // nullopt: fault() has the reason.
    [[nodiscard]] std::optional<marked_dead_letters> load(std::string const& cluster, std::string const& topic);
    // Replaces an earlier mark.
    [[nodiscard]] bool put(
        std::string const& cluster, std::string const& topic, dead_letter_position const& place, dead_letter_mark mark);
    // Deletes the marks of dead letters that the topic no longer has.
    [[nodiscard]] bool tidy(
        std::string const& cluster, std::string const& topic, std::vector<partition_extent> const& extents);
    [[nodiscard]] std::string const& fault() const { return fault_; }

private:
    [[nodiscard]] bool run(std::function<void(pqxx::work&)> const& body);

    postgres::session session_;
    std::string fault_;
};

// The number of marks in these extents; 0 if the table is missing, or the role may not read it.
[[nodiscard]] std::int64_t count_marks(pqxx::work& transaction, std::string const& cluster, std::string const& topic,
    std::vector<partition_extent> const& extents);

}
