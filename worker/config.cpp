#include "worker/config.hpp"

#include "common/kafka/broker_config.hpp"
#include "common/postgres/database_config.hpp"

#include <algorithm>

namespace clerk_strapi::worker
{

namespace
{

using namespace std::chrono_literals;

bool is_domain(std::string const& text)
{
    return !text.empty() && text.size() <= 253 && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
    });
}

// Separate from the other properties, because librdkafka warns about it in every client that is no consumer.
void load_strategy(config_source& source, worker_config& config)
{
    auto const found = config.kafka.extra.find(kafka::strategy_property);
    if (found == config.kafka.extra.end()) return;
    config.assignment_strategy = found->second;
    config.kafka.extra.erase(found);
    if (auto fault = kafka::strategy_fault(config.assignment_strategy))
        source.fault(config_text::kafka_variable_of(kafka::strategy_property), std::move(*fault));
}

void load_roles(config_source& source, store_settings& store)
{
    if (!source.is_set("ROLE_MAP")) return;
    store.roles_text = source.text("ROLE_MAP");
    auto parsed = parse_role_map(store.roles_text);
    if (!parsed) return source.fault("ROLE_MAP", parsed.error().what);
    store.roles = std::move(*parsed);
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
    store.on_conflict = source.choice<email_conflict>(
        "EMAIL_CONFLICT", {{"link", email_conflict::link}, {"placeholder", email_conflict::placeholder}});
    load_roles(source, store);
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
    config.kafka = {"", "clerk-worker", source.kafka_properties()};
    config.kafka.brokers = kafka::read_brokers(source, config.kafka.extra);
    for (auto const& [property, message] : kafka::check_properties(config.kafka.extra))
        source.fault(config_text::kafka_variable_of(property), message);
    load_strategy(source, config);
    config.group_id = source.text("KAFKA_GROUP_ID");
    config.topics = {source.text("TOPIC_USER_EVENTS"), source.text("TOPIC_PROVISIONING"),
        source.text("TOPIC_SNAPSHOTS"), source.text("TOPIC_DEAD_LETTERS")};
    if (needs.database) {
        config.conninfo = postgres::read_database_config(source, "clerk-worker", postgres::database_need::required)
                              .value_or(postgres::session::conninfo_source{});
    }
    load_mapping(source, config);
    config.batch_records = static_cast<std::size_t>(source.integer("BATCH_RECORDS", 1, 10'000));
    config.batch_wait = source.milliseconds("BATCH_WAIT_MS", 0ms, 1'000ms);
    config.warnings = source.warnings();
    source.require_valid();
    return config;
}

std::string topic_names::former_provisioning() const
{
    constexpr std::string_view now = "user-provisioning";
    if (!provisioning.ends_with(now)) return {};
    return provisioning.substr(0, provisioning.size() - now.size()) + std::string{former_pipeline};
}

std::string group_of(worker_config const& config, std::string_view pipeline)
{
    return pipeline == "events" ? config.group_id : config.group_id + "." + std::string{pipeline};
}

decode_rules decoding_of(worker_config const& config)
{
    return {config.instances, config.store.roles ? config.store.roles->metadata_key : ""};
}

}
