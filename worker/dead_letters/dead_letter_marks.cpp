#include "worker/dead_letters/dead_letter_marks.hpp"

#include "common/postgres/sql_array.hpp"
#include "common/postgres/statement.hpp"

namespace clerk_strapi::worker
{

namespace
{

struct extent_arrays
{
    postgres::sql_array partitions, first, next;

    explicit extent_arrays(std::vector<partition_extent> const& extents)
    {
        for (auto const& one : extents) {
            partitions.add(std::int64_t{one.partition});
            first.add(one.first);
            next.add(one.next);
        }
    }
};

}

std::string_view to_string(dead_letter_mark mark)
{
    switch (mark) {
    case dead_letter_mark::redriven: return "redriven";
    case dead_letter_mark::discarded: return "discarded";
    }
    return "discarded";
}

dead_letter_marks::dead_letter_marks(postgres::session::conninfo_source conninfo)
    : session_{std::move(conninfo)}
{
}

bool dead_letter_marks::run(std::function<void(pqxx::work&)> const& body)
{
    auto const done = session_.run(body);
    if (done.outcome == postgres::work_outcome::done) return true;
    fault_ = done.detail.empty() ? "SQLSTATE " + done.sqlstate : done.detail;
    if (done.sqlstate == "42P01")
        fault_ = "the table clerk_sync.dead_letter_mark is missing; run `clerk-worker migrate`";
    if (done.sqlstate == "42501") fault_ += "; run schemas/sql/grants.sql again, as the owner";
    return false;
}

std::optional<marked_dead_letters> dead_letter_marks::load(std::string const& cluster, std::string const& topic)
{
    marked_dead_letters found;
    auto const good = run([&](pqxx::work& transaction) {
        found.clear();
        auto const rows = postgres::exec(transaction,
            "select partition, record_offset, mark from "
            "clerk_sync.dead_letter_mark where cluster_id = $1 and topic = $2",
            cluster, topic);
        for (auto const& row : rows) {
            auto const redriven = row[2].as<std::string>() == to_string(dead_letter_mark::redriven);
            found[{row[0].as<std::int32_t>(), row[1].as<std::int64_t>()}] =
                redriven ? dead_letter_mark::redriven : dead_letter_mark::discarded;
        }
    });
    if (!good) return std::nullopt;
    return found;
}

bool dead_letter_marks::put(
    std::string const& cluster, std::string const& topic, dead_letter_position const& place, dead_letter_mark mark)
{
    return run([&](pqxx::work& transaction) {
        postgres::exec(transaction,
            "insert into clerk_sync.dead_letter_mark (cluster_id, topic, partition, record_offset, mark) "
            "values ($1, $2, $3, $4, $5) on conflict (cluster_id, topic, partition, record_offset) "
            "do update set mark = excluded.mark, marked_at = now()",
            cluster, topic, place.first, place.second, std::string{to_string(mark)});
    });
}

bool dead_letter_marks::tidy(
    std::string const& cluster, std::string const& topic, std::vector<partition_extent> const& extents)
{
    return run([&](pqxx::work& transaction) {
        extent_arrays const arrays{extents};
        postgres::exec(transaction,
            "delete from clerk_sync.dead_letter_mark m using unnest($3::int[], $4::bigint[]) "
            "as e(partition, first) where m.cluster_id = $1 and m.topic = $2 and "
            "m.partition = e.partition and m.record_offset < e.first",
            cluster, topic, arrays.partitions.str(), arrays.first.str());
    });
}

std::int64_t count_marks(pqxx::work& transaction, std::string const& cluster, std::string const& topic,
    std::vector<partition_extent> const& extents)
{
    auto const readable = postgres::exec_one(transaction,
        "select coalesce(has_table_privilege(to_regclass('clerk_sync.dead_letter_mark'), 'select'), false)");
    if (!readable[0].as<bool>()) return 0;
    extent_arrays const arrays{extents};
    return postgres::exec_one(transaction,
        "select count(*) from clerk_sync.dead_letter_mark m join unnest($3::int[], $4::bigint[], "
        "$5::bigint[]) as e(partition, first, next) on m.partition = e.partition and m.record_offset >= "
        "e.first and m.record_offset < e.next where m.cluster_id = $1 and m.topic = $2",
        cluster, topic, arrays.partitions.str(), arrays.first.str(), arrays.next.str())[0]
        .as<std::int64_t>();
}

}
