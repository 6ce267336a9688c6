#pragma once

// The position of a backfill, in clerk_sync.backfill: one row per Clerk instance, written only after the brokers have
// stored what was read. While a cursor is open, no other backfill runs on this database.

#include "common/postgres/session.hpp"
#include "worker/operate/failure.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace clerk_strapi::worker
{

enum class backfill_pass {
    all, // every user, oldest first
    since, // users changed since a time, newest first
    changed, // users changed during the run
    done,
};
[[nodiscard]] std::string_view to_string(backfill_pass pass);

struct backfill_position
{
    std::int64_t begun_ms{0};
    std::optional<std::int64_t> since_ms;
    backfill_pass pass{backfill_pass::all};
    std::string position;
    std::uint64_t published{0};
};

class backfill_cursor
{
public:
    backfill_cursor(postgres::session::conninfo_source conninfo, std::string instance_id);

    // Returns the stored position, if there is one.
    [[nodiscard]] result<std::optional<backfill_position>, failure> open();
    // False while the database is unavailable. --resume then reads some users again, which is harmless.
    [[nodiscard]] bool store(backfill_position const& position);

private:
    std::string instance_id_;
    postgres::session session_;
};

}
