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
    {"ADMIN_LISTEN", ingest, "127.0.0.1:9464", "Address and port for /livez, /readyz and /metrics; never public."},
    {"ADMIN_LISTEN", worker, "127.0.0.1:9465", "Address and port for /livez, /readyz and /metrics; never public."},

    {"CLERK_WEBHOOK_SIGNING_SECRET", ingest, "", "One or more whsec_ secrets of the webhook endpoint, comma-separated: while one is replaced, both are listed.", true, "CLERK_WEBHOOK_SECRET"},
    {"CLERK_SECRET_KEY", both, "", "Secret key of Clerk's Backend API (sk_live_ or sk_test_): fetches keys, and users seen for the first time; read by backfill, reconcile and user --revive.", true},
    {"CLERK_JWT_KEY", ingest, "", "Public key (PEM) of the session tokens: verification without any network."},
    {"CLERK_PUBLISHABLE_KEY", both, "", "Publishable key (pk_live_ or pk_test_): names the issuer and its key set."},
    {"CLERK_ISSUER", ingest, "", "The issuer that session tokens must name, exactly."},
    {"CLERK_AUTHORIZED_PARTIES", ingest, "", "Origins a session token may have been made for (azp), comma-separated."},
    {"CLERK_API_URL", both, "https://api.clerk.com", "Clerk's Backend API."},
    {"CLERK_INSTANCE_IDS", both, "", "Clerk instances (ins_...) whose events count, comma-separated; others are parked. Unset: any, with a warning."},

    {"KAFKA_BROKERS", both, "", "Brokers to start from, host:port, comma-separated; checked at start. Any other KAFKA_A_B is handed to librdkafka as a.b."},
    {"KAFKA_GROUP_ID", worker, "clerk-strapi-sync", "Consumer group of the workers."},
    {"TOPIC_USER_EVENTS", both, "clerk.user-events", "Topic of the webhooks about users."},
    {"TOPIC_PROVISIONING", both, "clerk.user-provisioning", "Topic of users who are created at their first valid session token.", false, "", "TOPIC_FIRST_SIGHTS"},
    {"TOPIC_SNAPSHOTS", worker, "clerk.user-snapshots", "Topic of backfill and repair."},
    {"TOPIC_DEAD_LETTERS", both, "clerk.dead-letters", "Topic of records that can never be applied."},

    {"DATABASE_URL", both, "", "Strapi's PostgreSQL, as a URL. Wins over the single DATABASE_ variables.", true},
    {"DATABASE_HOST", both, "", "Strapi's own variable: host of PostgreSQL."},
    {"DATABASE_PORT", both, "5432", "Strapi's own variable: port of PostgreSQL."},
    {"DATABASE_NAME", both, "", "Strapi's own variable: name of the database."},
    {"DATABASE_USERNAME", both, "", "Strapi's own variable: who connects."},
    {"DATABASE_PASSWORD", both, "", "Strapi's own variable: his password.", true},
    {"DATABASE_SSL", both, "false", "Strapi's own variable: true requires TLS and verifies PostgreSQL's certificate and host name, unless DATABASE_URL has its own sslmode."},
    {"DATABASE_SSL_CA", both, "", "Strapi's own variable: CA certificates (PEM) that may have signed PostgreSQL's. Unset: the system's."},
    {"DATABASE_SSL_CERT", both, "", "Strapi's own variable: client certificate (PEM), where PostgreSQL asks for one."},
    {"DATABASE_SSL_KEY", both, "", "Strapi's own variable: private key (PEM) of DATABASE_SSL_CERT, without a passphrase.", true},
    {"DATABASE_SSL_REJECT_UNAUTHORIZED", both, "true", "Strapi's own variable: false encrypts and verifies nothing, with a warning."},
    {"DATABASE_SCHEMA", both, "public", "Strapi's own variable: schema of its tables."},

    {"STRAPI_PROFILE_CONTENT_TYPES", worker, "", "Content types that get one profile a user (api::profile.profile), comma-separated."},
    {"PROFILE_STATUS", worker, "draft", "Which rows a profile of a draft-and-publish type has: draft, or published (both)."},
    {"STRAPI_TIMEZONE", worker, "UTC", "Time zone in which Strapi writes its timestamps."},
    {"ROLE_MAP", worker, "", "JSON: from a public_metadata value to a Strapi role type, and the roles that may be given at all, e.g. {\"from\":\"role\",\"map\":{\"staff\":\"author\"},\"allowed\":[\"author\"]}. See worker/README.md, Roles."},
    {"EMAIL_CONFLICT", worker, "link", "When a verified address belongs to one local user: link (that row becomes the Clerk user's) or placeholder."},
    {"DELETE_POLICY", worker, "delete", "What a deletion in Clerk does: delete the rows, or block (the row stays, emptied and blocked)."},
    {"PLACEHOLDER_EMAIL_DOMAIN", worker, "clerk.user", "Domain of the addresses of users who have none."},

    {"PUBLISH_TIMEOUT_MS", ingest, "8000", "How long a webhook waits for the brokers before it is answered 503."},
    {"MAX_BODY_BYTES", ingest, "786432", "Largest body that is read; larger ones are answered 413."},
    {"VERIFY_WAIT_MS", ingest, "2000", "How long a first sight waits for its row."},
    {"VERIFY_MAX_WAITERS", ingest, "1000", "How many first sights may wait at once."},
    {"VERIFY_CACHE_MS", ingest, "1000", "How old the row behind an answer may be."},
    {"VERIFY_STALE_MS", ingest, "30000", "How old it may be while the database is away."},
    {"GATEWAY_DIALECT", ingest, "nginx", "Which gateway asks at /v1/auth/gateway: nginx, traefik or envoy."},
    {"GATEWAY_NO_IMPERSONATION", ingest, "", "Paths at the gateway on which nobody may act for a user (tokens with act), comma-separated, each with all below it; * alone: everywhere."},

    {"BATCH_RECORDS", worker, "500", "Most records in one transaction."},
    {"BATCH_WAIT_MS", worker, "5", "How long a batch that has begun waits for more; a lone event is not held back."},

    {"LOG_LEVEL", both, "info", "Lowest level that is written: debug, info, warning or error."},
    {"LOG_FORMAT", both, "auto", "json, text, or auto: text on a terminal, else json."},
};

struct refused
{
    std::string_view property;
    std::string_view sentence;
};
constexpr std::string_view breaks_i1 = "a webhook is acknowledged only after every in-sync replica has it";
constexpr std::string_view breaks_i7 = "an offset follows its rows and never leads them";
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
    {"isolation.level", "records of an aborted transaction are never applied"},
    {"bootstrap.servers", "the brokers are named by KAFKA_BROKERS"},
    {"metadata.broker.list", "the brokers are named by KAFKA_BROKERS"},
    {"group.id", "the group is named by KAFKA_GROUP_ID"},
    {"group.protocol", "workers use Kafka's classic group protocol; KAFKA_PARTITION_ASSIGNMENT_STRATEGY chooses how they share partitions"},
};
// clang-format on

bool is_used_by(variable const& row, program asking)
{
    return (static_cast<unsigned>(row.used_by) & static_cast<unsigned>(asking)) != 0;
}

}

std::span<variable const> all_variables() { return table; }

std::vector<variable> variables_of(program asking)
{
    std::vector<variable> chosen;
    for (auto const& row : table) {
        if (is_used_by(row, asking)) chosen.push_back(row);
    }
    return chosen;
}

std::string example_file(program asking)
{
    std::string out = "# Every variable, with its default. NAME_FILE reads a value from a file instead.\n"
                      "# An empty value counts as unset.\n";
    for (auto const& row : variables_of(asking)) {
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
