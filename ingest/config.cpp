#include "ingest/config.hpp"

#include "common/kafka/broker_config.hpp"
#include "ingest/webhook/signature.hpp"

namespace clerk_strapi::ingest
{
namespace
{

using std::chrono::milliseconds;
using std::chrono::seconds;

// Size of a record without its value: key, headers, and the framing of the batch.
constexpr std::int64_t record_overhead_bytes = 16 * 1024;
constexpr std::int64_t message_bytes_default = 1'000'000; // librdkafka's message.max.bytes

void check_kafka(config_source& source, kafka::client_settings const& settings)
{
    for (auto const& [property, message] : kafka::check_properties(settings.extra)) {
        source.fault(config_text::kafka_variable_of(property), message);
    }
}

void check_sizes(config_source& source, config const& read)
{
    auto limit = message_bytes_default;
    if (auto const given = read.kafka.extra.find("message.max.bytes"); given != read.kafka.extra.end()) {
        limit = config_text::parse_integer(given->second).value_or(limit);
    }
    if (static_cast<std::int64_t>(read.body_bytes_max) + record_overhead_bytes > limit) {
        source.fault("MAX_BODY_BYTES",
            "must be at least 16 KiB below the largest Kafka message (" + std::to_string(limit)
                + "): lower it, or raise KAFKA_MESSAGE_MAX_BYTES and the topic's max.message.bytes");
    }
}

}

void require_webhook_secrets(config_source& source, secret const& secrets)
{
    constexpr auto name = "CLERK_WEBHOOK_SIGNING_SECRET";
    source.require(name, "the signing secret (whsec_...) of the endpoint in Clerk's dashboard, Webhooks");
    if (secrets.empty()) return;
    if (auto const keys = parse_signing_keys(secrets.reveal()); !keys) source.fault(name, keys.error());
}

config load_config(config_source& source)
{
    config read;
    read.listen = source.listen("INGEST_LISTEN");
    read.admin_listen = source.listen("ADMIN_LISTEN");
    read.webhook_secrets = source.secret_text("CLERK_WEBHOOK_SIGNING_SECRET");
    read.webhook_secrets_file = source.file_of("CLERK_WEBHOOK_SIGNING_SECRET");
    require_webhook_secrets(source, read.webhook_secrets);
    for (auto const& id : source.list("CLERK_INSTANCE_IDS")) {
        if (!id.starts_with("ins_"))
            source.fault("CLERK_INSTANCE_IDS", "must list ids that begin with ins_, but holds \"" + id + "\"");
        read.instance_ids.insert(id);
    }

    source.require("KAFKA_BROKERS", "host:port of one or more brokers, comma-separated");
    read.kafka = {"", "clerk-ingest", source.kafka_properties()};
    read.kafka.brokers = kafka::read_brokers(source, read.kafka.extra);
    check_kafka(source, read.kafka);
    read.user_events_topic = source.text("TOPIC_USER_EVENTS");
    read.provisioning_topic = source.text("TOPIC_PROVISIONING");
    read.dead_letters_topic = source.text("TOPIC_DEAD_LETTERS");

    // The sender closes the connection after 15 s: above 14 s it would never receive the response.
    read.publish_timeout = source.milliseconds("PUBLISH_TIMEOUT_MS", milliseconds{100}, seconds{14});
    read.body_bytes_max = static_cast<std::size_t>(source.integer("MAX_BODY_BYTES", 1024, 8 * 1024 * 1024));
    check_sizes(source, read);
    read.auth = load_auth_config(source);
    read.warnings = source.warnings();
    return read;
}

log::options load_log_options(config_source& source)
{
    log::options options;
    options.lowest = source.choice<log::level>("LOG_LEVEL",
        {{"info", log::level::info}, {"debug", log::level::debug}, {"warning", log::level::warning},
            {"error", log::level::error}});
    options.style = source.choice<log::format>(
        "LOG_FORMAT", {{"auto", log::format::automatic}, {"json", log::format::json}, {"text", log::format::text}});
    return options;
}

}
