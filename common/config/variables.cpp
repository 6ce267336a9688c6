#include "common/config/variables.hpp"

#include <array>

namespace clerk_strapi
{
namespace
{

constexpr auto ingest = program::ingest;
constexpr auto worker = program::worker;
constexpr auto both = program::both;

// clang-format off
constexpr variable table[] = {
    {"INGEST_LISTEN", ingest, "0.0.0.0:8080", "Address and port of the public listener."},
    {"ADMIN_LISTEN", ingest, "127.0.0.1:9464", "Address and port for /livez, /readyz and /metrics. Never make it public."},
    {"ADMIN_LISTEN", worker, "127.0.0.1:9465", "Address and port for /livez, /readyz and /metrics. Never make it public."},

    {"CLERK_WEBHOOK_SIGNING_SECRET", ingest, "", "The webhook endpoint's signing secrets (whsec_...), comma-separated. While you replace a secret, list both.", true, "CLERK_WEBHOOK_SECRET"},
    {"CLERK_SECRET_KEY", both, "", "Secret key of Clerk's Backend API (sk_live_ or sk_test_). ingest fetches signing keys and new users with it; backfill, reconcile and user --revive read users with it.", true},
    {"CLERK_JWT_KEY", ingest, "", "Public key (PEM) that verifies session tokens. With it, ingest fetches no signing keys from Clerk."},
    {"CLERK_PUBLISHABLE_KEY", both, "", "Publishable key (pk_live_ or pk_test_). It names the issuer of session tokens and its key set."},
    {"CLERK_ISSUER", ingest, "", "The exact issuer (iss) that session tokens must have."},
    {"CLERK_AUTHORIZED_PARTIES", ingest, "", "Origins (azp) whose session tokens are accepted, comma-separated."},
    {"CLERK_API_URL", both, "https://api.clerk.com", "Base URL of Clerk's Backend API."},
    {"CLERK_INSTANCE_IDS", both, "", "Clerk instances (ins_...) whose events are accepted, comma-separated. Events of other instances become dead letters. Unset: all are accepted, with a warning."},

    {"KAFKA_BROKERS", both, "", "Kafka brokers to connect to first, host:port, comma-separated; checked at start. Any other KAFKA_A_B sets librdkafka's property a.b."},
    {"KAFKA_GROUP_ID", worker, "clerk-strapi-sync", "Consumer group of the workers."},
    {"TOPIC_USER_EVENTS", both, "clerk.user-events", "Topic of the user events from webhooks."},
    {"TOPIC_PROVISIONING", both, "clerk.user-provisioning", "Topic of just-in-time provisioning: users who signed in before their webhook arrived.", false, "", "TOPIC_FIRST_SIGHTS"},
    {"TOPIC_SNAPSHOTS", worker, "clerk.user-snapshots", "Topic of the users that backfill and reconcile read from Clerk."},
    {"TOPIC_DEAD_LETTERS", both, "clerk.dead-letters", "Topic of records that can never be applied."},

    {"DATABASE_URL", both, "", "URL of Strapi's PostgreSQL. It overrides the host, port, name, username and password below.", true},
    {"DATABASE_HOST", both, "", "Strapi's own variable: host of PostgreSQL."},
    {"DATABASE_PORT", both, "5432", "Strapi's own variable: port of PostgreSQL."},
    {"DATABASE_NAME", both, "", "Strapi's own variable: name of the database."},
    {"DATABASE_USERNAME", both, "", "Strapi's own variable: name of the database user."},
    {"DATABASE_PASSWORD", both, "", "Strapi's own variable: password of the database user.", true},
    {"DATABASE_SSL", both, "false", "Strapi's own variable: true requires TLS and verifies PostgreSQL's certificate and host name, unless DATABASE_URL has its own sslmode."},
    {"DATABASE_SSL_CA", both, "", "Strapi's own variable: CA certificates (PEM); one of them must have signed PostgreSQL's certificate. Unset: the system's."},
    {"DATABASE_SSL_CERT", both, "", "Strapi's own variable: client certificate (PEM), if PostgreSQL requires one."},
    {"DATABASE_SSL_KEY", both, "", "Strapi's own variable: private key (PEM) of DATABASE_SSL_CERT, without a passphrase.", true},
    {"DATABASE_SSL_REJECT_UNAUTHORIZED", both, "true", "Strapi's own variable: false encrypts the connection without verifying the server, with a warning."},
    {"DATABASE_SCHEMA", both, "public", "Strapi's own variable: schema of Strapi's tables."},

    {"STRAPI_PROFILE_CONTENT_TYPES", worker, "", "Content types with one profile per user (api::profile.profile), comma-separated."},
    {"PROFILE_STATUS", worker, "draft", "Rows of a profile whose type has draft and publish: draft (only that row), or published (both rows)."},
    {"STRAPI_TIMEZONE", worker, "UTC", "Time zone in which Strapi writes its timestamps."},
    {"ROLE_MAP", worker, "", "JSON that maps public_metadata values to Strapi role types and lists the roles that users may get, e.g. {\"from\":\"role\",\"map\":{\"staff\":\"author\"},\"allowed\":[\"author\"]}. See deploy/guide/field-mapping.md."},
    {"EMAIL_CONFLICT", worker, "link", "When a Clerk user's verified e-mail belongs to exactly one local user: link (the Clerk user takes over that row), or placeholder (the Clerk user has a placeholder address)."},
    {"DELETE_POLICY", worker, "delete", "What a deletion in Clerk does: delete (removes the rows), or block (keeps the row, emptied and blocked)."},
    {"PLACEHOLDER_EMAIL_DOMAIN", worker, "clerk.user", "Domain of the placeholder addresses of users without an address."},

    {"PUBLISH_TIMEOUT_MS", ingest, "8000", "How long a webhook waits for Kafka before ingest returns 503."},
    {"MAX_BODY_BYTES", ingest, "786432", "Largest request body that ingest reads; it returns 413 for a larger one."},
    {"VERIFY_WAIT_MS", ingest, "2000", "How long just-in-time provisioning waits for the user's row before ingest returns 503."},
    {"VERIFY_MAX_WAITERS", ingest, "1000", "How many requests may wait for just-in-time provisioning at once."},
    {"VERIFY_CACHE_MS", ingest, "1000", "Maximum age of the user row that a response is based on."},
    {"VERIFY_STALE_MS", ingest, "30000", "Maximum age of that row while the database is unavailable."},
    {"GATEWAY_DIALECT", ingest, "nginx", "Gateway that calls /v1/auth/gateway: nginx, traefik or envoy."},
    {"GATEWAY_NO_IMPERSONATION", ingest, "", "Paths on which /v1/auth/gateway rejects impersonation (tokens with act), comma-separated; each includes all paths below it. * alone: all paths."},

    {"BATCH_RECORDS", worker, "500", "Maximum number of records in one transaction."},
    {"BATCH_WAIT_MS", worker, "5", "How long a batch of two or more records waits for more; a single record is not delayed."},

    {"LOG_LEVEL", both, "info", "Lowest level that is logged: debug, info, warning or error."},
    {"LOG_FORMAT", both, "auto", "json, text, or auto (text on a terminal, json elsewhere)."},
};

struct refused
{
    std::string_view property;
    std::string_view sentence;
};
constexpr std::string_view breaks_i1 = "ingest acknowledges a webhook only after every in-sync replica has stored it";
constexpr std::string_view breaks_i7 = "the worker commits an offset only after the rows of its records";
constexpr refused refused_properties[] = {
    {"acks", breaks_i1},
    {"request.required.acks", breaks_i1},
    {"enable.idempotence", breaks_i1},
    {"delivery.report.only.error", breaks_i1},
    {"transactional.id", breaks_i1},
    {"test.mock.num.brokers", breaks_i1},
    {"enable.auto.offset.store", breaks_i7},
    {"enable.auto.commit", breaks_i7},
    {"auto.commit.enable", breaks_i7},
    {"auto.commit.interval.ms", breaks_i7},
    {"isolation.level", "the worker must not apply records of an aborted transaction"},
    {"bootstrap.servers", "KAFKA_BROKERS names the brokers"},
    {"metadata.broker.list", "KAFKA_BROKERS names the brokers"},
    {"group.id", "KAFKA_GROUP_ID names the group"},
    {"group.protocol", "workers use Kafka's classic group protocol; KAFKA_PARTITION_ASSIGNMENT_STRATEGY chooses how they share partitions"},
};
// clang-format on

bool is_used_by(variable const& row, program reader)
{
    return (static_cast<unsigned>(row.used_by) & static_cast<unsigned>(reader)) != 0;
}

}

std::span<variable const> all_variables() { return table; }

std::vector<variable> variables_of(program reader)
{
    std::vector<variable> chosen;
    for (auto const& row : table) {
        if (is_used_by(row, reader)) chosen.push_back(row);
    }
    return chosen;
}

std::string example_file(program reader)
{
    std::string out = "# Every variable, with its default. NAME_FILE reads a value from a file instead.\n"
                      "# An empty value counts as unset.\n";
    for (auto const& row : variables_of(reader)) {
        out += "\n# ";
        out += row.sentence;
        out += "\n#";
        out += row.name;
        out += '=';
        out += row.initial;
        out += '\n';
    }
    return out;
}

std::optional<std::string_view> why_refused(std::string_view kafka_property)
{
    for (auto const& [property, sentence] : refused_properties) {
        if (property == kafka_property) return sentence;
    }
    return std::nullopt;
}

}
