#include "worker/operate/backfill_cursor.hpp"

#include "common/postgres/statement.hpp"

#include <utility>

namespace clerk_strapi::worker
{
namespace
{

backfill_pass pass_of(std::string const& text)
{
    for (auto const pass : {backfill_pass::all, backfill_pass::since, backfill_pass::changed}) {
        if (text == to_string(pass)) return pass;
    }
    return backfill_pass::done;
}

backfill_position read_position(pqxx::row const& row)
{
    backfill_position found;
    found.begun_ms = row[0].as<std::int64_t>();
    if (!row[1].is_null()) found.since_ms = row[1].as<std::int64_t>();
    found.pass = pass_of(row[2].as<std::string>());
    found.position = row[3].as<std::string>();
    found.published = row[4].as<std::uint64_t>();
    return found;
}

}

std::string_view to_string(backfill_pass pass)
{
    switch (pass) {
    case backfill_pass::all: return "all";
    case backfill_pass::since: return "since";
    case backfill_pass::changed: return "changed";
    case backfill_pass::done: return "done";
    }
    return "done";
}

backfill_cursor::backfill_cursor(postgres::session::conninfo_source conninfo, std::string instance_id)
    : instance_id_{std::move(instance_id)}
    , session_{std::move(conninfo)}
{
}

result<std::optional<backfill_position>, failure> backfill_cursor::open()
{
    std::optional<backfill_position> stored;
    auto locked = false;
    auto const result = session_.run([&](pqxx::work& work) {
        // A session lock: it ends with the process, also when that is killed.
        locked = postgres::exec_one(work, "select pg_try_advisory_lock(hashtext('clerk_sync.backfill'))")[0].as<bool>();
        auto const rows = postgres::exec(work,
            "select begun_ms, since_ms, pass, position, published from clerk_sync.backfill where instance_id = $1",
            instance_id_);
        if (!rows.empty()) stored = read_position(rows[0]);
    });
    if (result.sqlstate == "42501")
        return failure{result.detail + "; run schemas/sql/grants.sql again: a new version may have new tables"};
    if (result.outcome == postgres::work_outcome::mismatched)
        return failure{result.detail + "; run `clerk-worker migrate`"};
    if (result.outcome != postgres::work_outcome::done) return failure{"cannot use the database: " + result.detail};
    if (!locked) return failure{"another backfill is running on this database"};
    return stored;
}

bool backfill_cursor::store(backfill_position const& position)
{
    auto const result = session_.run([&](pqxx::work& work) {
        postgres::exec(work,
            "insert into clerk_sync.backfill (instance_id, begun_ms, since_ms, pass, position, published) "
            "values ($1, $2, $3, $4, $5, $6) on conflict (instance_id) do update set begun_ms = excluded.begun_ms, "
            "since_ms = excluded.since_ms, pass = excluded.pass, position = excluded.position, "
            "published = excluded.published, written_at = now()",
            instance_id_, position.begun_ms, position.since_ms ? std::to_string(*position.since_ms).c_str() : nullptr,
            std::string{to_string(position.pass)}, position.position, position.published);
    });
    return result.outcome == postgres::work_outcome::done;
}

}
