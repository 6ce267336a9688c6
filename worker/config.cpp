#include "worker/config.hpp"

#include "common/postgres/conninfo.hpp"

#include <algorithm>
#include <memory>
#include <mutex>

namespace clerk_strapi::worker
{

namespace
{

using namespace std::chrono_literals;

std::optional<std::string> conninfo_of(config_source& source)
{
    if (source.is_set("DATABASE_URL"))
        return postgres::make_conninfo(source.secret_text("DATABASE_URL").reveal(), "clerk-worker");
    postgres::database_parts parts;
    parts.host = source.text("DATABASE_HOST");
    parts.port = source.text("DATABASE_PORT");
    parts.name = source.text("DATABASE_NAME");
    parts.username = source.text("DATABASE_USERNAME");
    parts.password = source.secret_text("DATABASE_PASSWORD").reveal();
    parts.ssl = source.boolean("DATABASE_SSL");
    return postgres::make_conninfo(parts, "clerk-worker");
}

// Called for each new connection, from any lane's thread: a file may hold another password by then.
postgres::session::conninfo_source following_conninfo(config_source const& source, std::string first)
{
    struct following
    {
        following(config_source const& from, std::string good)
            : source(from)
            , last_good(std::move(good))
        {
        }

        std::mutex mutex;
        config_source source;
        std::string last_good;
    };
    auto const state = std::make_shared<following>(source, std::move(first));
    return [state] {
        std::lock_guard const lock{state->mutex};
        auto fresh = state->source; // its faults end with it
        if (auto conninfo = conninfo_of(fresh); conninfo && fresh.faults().empty()) state->last_good = *conninfo;
        return state->last_good;
    };
}

void load_database(config_source& source, worker_config& config)
{
    if (!source.is_set("DATABASE_URL") && (!source.is_set("DATABASE_HOST") || !source.is_set("DATABASE_NAME"))) {
        source.fault("DATABASE_URL",
            "must be set to Strapi's PostgreSQL, e.g. postgres://user:password@host:5432/strapi (or Strapi's own "
            "DATABASE_HOST, DATABASE_NAME, DATABASE_USERNAME, DATABASE_PASSWORD)");
        return;
    }
    auto const url = source.is_set("DATABASE_URL") ? source.secret_text("DATABASE_URL").reveal() : std::string{};
    if (url.starts_with("mysql") || url.starts_with("sqlite") || url.starts_with("file:"))
        return source.fault("DATABASE_URL", "names no PostgreSQL; MySQL and SQLite are not supported");
    auto const conninfo = conninfo_of(source);
    if (!conninfo)
        return source.fault("DATABASE_URL", "cannot be read; write postgres://user:password@host:5432/database");
    config.conninfo = following_conninfo(source, *conninfo);
}

bool is_domain(std::string const& text)
{
    return !text.empty() && text.size() <= 253 && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
    });
}

void load_mapping(config_source& source, worker_config& config)
{
    auto& store = config.store;
    store.profile_types = source.list("STRAPI_PROFILE_CONTENT_TYPES");
    store.sql.database_schema = source.text("DATABASE_SCHEMA");
    store.sql.time_zone = source.text("STRAPI_TIMEZONE");
    store.sql.profiles = source.choice<profile_status>(
        "PROFILE_STATUS", {{"draft", profile_status::draft}, {"published", profile_status::published}});
    store.on_delete = source.choice<delete_policy>(
        "DELETE_POLICY", {{"delete", delete_policy::remove}, {"block", delete_policy::block}});
    store.placeholder_domain = source.text("PLACEHOLDER_EMAIL_DOMAIN");
    if (!is_domain(store.placeholder_domain))
        source.fault("PLACEHOLDER_EMAIL_DOMAIN", "must be a domain in lower case, such as clerk.user");
    static_cast<void>(source.choice<bool>("EMAIL_CONFLICT", {{"link", true}, {"placeholder", false}}));
    if (source.is_set("ROLE_MAP"))
        source.fault("ROLE_MAP", "is not supported by this version; unset it, and users get Strapi's default role");
    config.instances = source.list("CLERK_INSTANCE_IDS");
}

}

worker_config load_config(config_source& source, config_needs needs)
{
    worker_config config;
    config.logging.lowest = source.choice<log::level>("LOG_LEVEL",
        {{"info", log::level::info}, {"debug", log::level::debug}, {"warning", log::level::warning},
            {"error", log::level::error}});
    config.logging.style = source.choice<log::format>(
        "LOG_FORMAT", {{"auto", log::format::automatic}, {"json", log::format::json}, {"text", log::format::text}});
    config.admin = source.listen("ADMIN_LISTEN");
    if (needs.kafka) source.require("KAFKA_BROKERS", "the brokers to start from, e.g. kafka-0:9092,kafka-1:9092");
    config.kafka = {source.text("KAFKA_BROKERS"), "clerk-worker", source.kafka_properties()};
    for (auto const& [property, message] : kafka::check_properties(config.kafka.extra))
        source.fault(config_text::kafka_variable_of(property), message);
    config.group_id = source.text("KAFKA_GROUP_ID");
    config.topics = {source.text("TOPIC_USER_EVENTS"), source.text("TOPIC_FIRST_SIGHTS"),
        source.text("TOPIC_SNAPSHOTS"), source.text("TOPIC_DEAD_LETTERS")};
    if (needs.database) load_database(source, config);
    load_mapping(source, config);
    config.batch_records = static_cast<std::size_t>(source.integer("BATCH_RECORDS", 1, 10'000));
    config.batch_wait = source.milliseconds("BATCH_WAIT_MS", 0ms, 1'000ms);
    source.require_valid();
    return config;
}

}
