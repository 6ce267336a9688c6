#pragma once

// clerk_sync.dead_letter_mark: which dead letters were dealt with. One connection, blocking; for commands.

#include "common/postgres/session.hpp"
#include "worker/ports.hpp"

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace clerk_strapi::worker
{

enum class letter_mark {
    redriven, // published again
    discarded, // a person decided that nothing is to be done
};
[[nodiscard]] std::string_view to_string(letter_mark mark);

using letter_place = std::pair<std::int32_t, std::int64_t>; // partition and offset in the dead-letter topic
using letter_marks = std::map<letter_place, letter_mark>;

class dead_letter_marks
{
public:
    explicit dead_letter_marks(postgres::session::conninfo_source conninfo);

    // Nothing: fault() says why.
    [[nodiscard]] std::optional<letter_marks> load(std::string const& cluster, std::string const& topic);
    // Marking twice is harmless; the last one counts.
    [[nodiscard]] bool put(
        std::string const& cluster, std::string const& topic, letter_place const& place, letter_mark mark);
    // Forgets marks of letters that the topic no longer holds.
    [[nodiscard]] bool tidy(
        std::string const& cluster, std::string const& topic, std::vector<log_extent> const& extents);
    [[nodiscard]] std::string const& fault() const { return fault_; }

private:
    [[nodiscard]] bool run(std::function<void(pqxx::work&)> const& body);

    postgres::session session_;
    std::string fault_;
};

// How many letters of these stretches are closed. None where the table is not there yet, or not ours to read.
[[nodiscard]] std::int64_t count_marks(pqxx::work& transaction, std::string const& cluster, std::string const& topic,
    std::vector<log_extent> const& extents);

}
