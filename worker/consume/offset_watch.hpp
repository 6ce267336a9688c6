#pragma once

// Notices when the log does not go on where the database stopped (D11): pure, one for each consumer. A gap between two
// offsets alone means nothing, because a transaction's marks take offsets too; it is a loss when the log begins behind
// it. Where the log begins is known a little late, so a gap is looked at several times before it is taken for harmless.

#include <cstdint>
#include <map>
#include <optional>
#include <string_view>

namespace clerk_strapi::worker
{

enum class log_break {
    truncated, // the log begins behind the position: retention took events that were never applied
    rewound, // a record before the position came: the topic was made again, or Kafka was restored from a backup
};
[[nodiscard]] std::string_view to_string(log_break kind);

class log_watch
{
public:
    // Reading starts here; nothing for a partition that the database does not know, which cannot have lost anything.
    void starts(std::int32_t partition, std::optional<std::int64_t> position);
    // A record was handed out.
    [[nodiscard]] std::optional<log_break> read(std::int32_t partition, std::int64_t offset);
    // A look at where the log begins. Told once for each gap.
    [[nodiscard]] std::optional<log_break> begins(std::int32_t partition, std::int64_t first);

private:
    struct place
    {
        std::int64_t next{0}; // after the last record that was handed out
        std::int64_t whole_until{0}; // no offset before it was passed over
        bool known{false}; // so there is something to lose
        int looks{0}; // at a gap
    };
    std::map<std::int32_t, place> places_;
};

}
