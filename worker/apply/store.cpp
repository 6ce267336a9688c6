#include "worker/apply/store.hpp"

#include "common/event/sha256.hpp"
#include "common/postgres/sql_array.hpp"
#include "common/postgres/statement.hpp"
#include "common/process/fail_point.hpp"
#include "worker/apply/role_rows.hpp"
#include "worker/apply/schema_reader.hpp"
#include "worker/dead_letters/dead_letter_marks.hpp"

#include <utility>

namespace clerk_strapi::worker
{

namespace
{

using postgres::work_outcome;
using postgres::work_stopped;

// Increase it when the code maps a user to other values: rows are then written again at their users' next events, or
// all of them by a replay.
constexpr auto mapping_version = "2";

// A race is lost to a transaction that made progress, so few tries are enough.
constexpr int race_attempts_max = 5;

constexpr auto look_interval = std::chrono::seconds{5};

std::string mapping_hash(store_settings const& settings)
{
    std::string text = mapping_version;
    for (auto const& type : settings.profile_types)
        text += "|" + type;
    text += "|" + settings.sql.time_zone + "|" + settings.placeholder_domain;
    text += settings.sql.profiles == profile_status::draft ? "|draft" : "|published";
    text += settings.on_conflict == email_conflict::link ? "|link|" : "|placeholder|";
    text += settings.roles_text;
    return hex_of(sha256(text)).substr(0, 16);
}

// The merge rule writes rows of another mapping hash again, so clearing the hash is enough. Locks by rule L1.
void forget_mapping(pqxx::work& transaction, std::vector<user_event> const& events)
{
    postgres::sql_array ids;
    for (auto const& event : events)
        ids.add(event.clerk_id);
    postgres::exec(transaction,
        "with met as (select clerk_id from clerk_sync.user_state where clerk_id = any($1::text[]) and not tombstone "
        "order by clerk_id for update) "
        "update clerk_sync.user_state s set mapping_hash = '' from met where s.clerk_id = met.clerk_id",
        ids.str());
}

[[noreturn]] void stop_for(std::string what) { throw work_stopped{{work_outcome::mismatched, "", std::move(what)}}; }

apply_status status_of(work_outcome outcome)
{
    switch (outcome) {
    case work_outcome::done: return apply_status::applied;
    case work_outcome::refused: return apply_status::refused;
    case work_outcome::mismatched: return apply_status::mismatched;
    case work_outcome::raced:
    case work_outcome::unavailable: return apply_status::unavailable;
    }
    return apply_status::unavailable;
}

}

strapi_store::strapi_store(postgres::session::conninfo_source conninfo, store_settings settings)
    : settings_(std::move(settings))
    , mapping_{settings_.placeholder_domain, settings_.on_delete, settings_.on_conflict, settings_.roles,
          settings_.sql.database_schema, mapping_hash(settings_)}
    , session_(
          std::move(conninfo), [this](postgres::any_connection& connection) { prepare_statements(connection); },
          silence_max)
{
}

apply_result strapi_store::apply(
    std::vector<user_event> const& events, std::vector<partition_position> const& positions)
{
    locks_to_take locks; // of all tries (rule L4)
    return run([&](pqxx::work& transaction) {
        strapi_batch batch{transaction, *schema_, mapping_, locks};
        auto result = batch.apply(events);
        if (!events.empty() && fails_at(fail_at::worker_in_transaction))
            throw work_stopped{{work_outcome::unavailable, "", "fail point"}};
        batch.store_positions(positions);
        return result;
    });
}

apply_result strapi_store::replay(std::vector<user_event> const& events, replay_mode mode)
{
    apply_result replayed;
    locks_to_take locks;
    auto const result = run([&](pqxx::work& transaction) {
        if (mode.write_again) forget_mapping(transaction, events);
        strapi_batch batch{transaction, *schema_, mapping_, locks};
        replayed = batch.apply(events);
        if (mode.roll_back) throw work_stopped{{work_outcome::done, "", ""}};
        return replayed;
    });
    return result.status == apply_status::applied ? replayed : result;
}

std::optional<std::vector<partition_position>> strapi_store::positions(std::string const& cluster)
{
    std::vector<partition_position> found;
    auto const result = run([&](pqxx::work& transaction) {
        found.clear();
        for (auto const& row : postgres::exec_prepared(transaction, "get_positions", cluster))
            found.push_back({cluster, row[0].as<std::string>(), row[1].as<std::int32_t>(), row[2].as<std::int64_t>()});
        return apply_result{};
    });
    if (result.status != apply_status::applied) return std::nullopt;
    return found;
}

std::optional<std::int64_t> strapi_store::closed_dead_letters(
    std::string const& cluster, std::string const& topic, std::vector<partition_extent> const& extents)
{
    std::int64_t count = 0;
    auto const result = run([&](pqxx::work& transaction) {
        count = count_marks(transaction, cluster, topic, extents);
        return apply_result{};
    });
    if (result.status != apply_status::applied) return std::nullopt;
    return count;
}

apply_result strapi_store::check()
{
    forget_schema();
    return run([](pqxx::work&) { return apply_result{}; });
}

void strapi_store::stop()
{
    stopping_ = true;
    session_.cancel();
}

apply_result strapi_store::run(std::function<apply_result(pqxx::work&)> const& body)
{
    apply_result result;
    postgres::work_result done{work_outcome::unavailable, "", "stopping"}; // a stop before the first try
    for (auto attempt = 0; attempt < race_attempts_max && !stopping_; ++attempt) {
        done = session_.run([&](pqxx::work& transaction) {
            transaction.exec(transaction_settings);
            if (!schema_) discover(transaction);
            check_for_changes(transaction);
            result = body(transaction);
        });
        if (std::exchange(changed_, false)) forget_schema();
        if (done.outcome != work_outcome::raced) break;
    }
    if (stopping_ && done.outcome != work_outcome::done) return {apply_status::unavailable, "stopping", {}, {}, {}, {}};
    if (done.outcome == work_outcome::done) return result;
    // A key that is taken in every try is no race, but a value that cannot be written.
    auto const is_integrity = done.sqlstate.starts_with("23");
    if (done.outcome == work_outcome::raced && is_integrity) done.outcome = work_outcome::refused;
    if (done.outcome == work_outcome::mismatched) forget_schema();
    return {status_of(done.outcome), done.detail.empty() ? "SQLSTATE " + done.sqlstate : done.detail, {}, {}, {}, {}};
}

void strapi_store::discover(pqxx::work& transaction)
{
    auto const facts = read_database_facts(transaction, settings_.sql);
    if (!facts.time_zone_known)
        stop_for("PostgreSQL has no time zone of the name in STRAPI_TIMEZONE: " + settings_.sql.time_zone);
    auto parsed = parse_strapi_schema(read_schema_texts(transaction, settings_.sql), settings_.profile_types);
    if (!parsed) stop_for(parsed.error().what);
    if (!facts.migrated)
        stop_for("clerk_sync is missing or older than this version, or up_users has no unique index on clerk_id; run "
                 "`clerk-worker migrate` as the owner of Strapi's tables");
    require_roles(transaction, *parsed);
    schema_ = std::move(*parsed);
    fingerprint_ = facts.fingerprint;
    checked_at_ = std::chrono::steady_clock::now();
    prepare_statements(transaction.conn());
}

// At the start, not at the first user of a role.
void strapi_store::require_roles(pqxx::work& transaction, strapi_schema const& schema) const
{
    if (!settings_.roles) return;
    for (auto const& type : settings_.roles->answers()) {
        auto const found = postgres::exec_one(transaction,
            "select exists (select 1 from " + quoted_identifier(settings_.sql.database_schema) + "."
                + quoted_identifier(schema.roles_table) + " where type = " + quoted_literal(type) + ")");
        if (!found[0].as<bool>()) stop_for(missing_role(type));
    }
}

// Strapi may restart with another schema meanwhile. Most changes would cause errors, but not a new profile type's
// defaults or another link table.
void strapi_store::check_for_changes(pqxx::work& transaction)
{
    if (std::chrono::steady_clock::now() - checked_at_ < look_interval) return;
    checked_at_ = std::chrono::steady_clock::now();
    changed_ = read_fingerprint(transaction, settings_.sql) != fingerprint_;
    if (changed_)
        throw work_stopped{{work_outcome::raced, "", "Strapi's schema changed"}}; // try again with the new schema
}

void strapi_store::prepare_statements(postgres::any_connection& connection) const
{
    if (!schema_) return; // discover() prepares them, on the same connection
    for (auto const& one : user_statements(*schema_, settings_.sql))
        connection.prepare(one.name, one.text);
    for (std::size_t i = 0; i < schema_->profiles.size(); ++i) {
        for (auto const& one : profile_statements(schema_->profiles[i], i, schema_->default_locale, settings_.sql))
            connection.prepare(one.name, one.text);
    }
}

void strapi_store::forget_schema()
{
    schema_.reset();
    session_.disconnect(); // its prepared statements name the old tables
}

}
