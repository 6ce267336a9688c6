#include "worker/consume/kafka_contact.hpp"

#include "common/kafka/contact_fingerprint.hpp"
#include "common/log/logging.hpp"
#include "common/postgres/kafka_contact.hpp"

#include <utility>

namespace clerk_strapi::worker
{
namespace
{

using namespace std::chrono_literals;

constexpr std::chrono::seconds look_interval = 10s;
constexpr std::chrono::seconds record_interval = 1h; // writes the row of a new day soon after midnight
constexpr std::chrono::seconds trouble_interval = 1min; // how soon a grant or a `migrate` is noticed
constexpr auto session_settings = "set local statement_timeout = '2s'; set local lock_timeout = '2s'";
constexpr std::chrono::seconds record_silence_max{4}; // longer than a statement may take
constexpr auto grant =
    "SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA clerk_sync to the worker's database role";

kafka::topic_watch_settings watch_settings_of(worker_config const& config)
{
    auto client = config.kafka;
    client.client_id += "-readiness";
    return {std::move(client), config.topics.all(), look_interval};
}

}

kafka_contact::kafka_contact(worker_config const& config)
    : conninfo_{config.conninfo}
    , fingerprint_{kafka::contact_fingerprint(
          config.kafka, {config.topics.user_events, config.topics.provisioning, config.topics.dead_letters})}
    , watch_{watch_settings_of(config), [this](kafka::findings const& found) { on_findings(found); }}
{
}

health_check kafka_contact::health() const
{
    std::lock_guard const lock{mutex_};
    if (!answered_)
        return {"topics", false, true,
            "no broker of KAFKA_BROKERS has responded since the start; run `clerk-worker check`"};
    if (missing_.empty()) return {"topics", true, true, "all topics exist"};
    return {"topics", false, true, "not found, or no right to describe: " + missing_ + "; run `clerk-worker topics`"};
}

void kafka_contact::on_findings(kafka::findings const& found)
{
    if (!found.answered()) return; // keeps the last findings; the check "kafka" shows the outage
    update_missing(found);
    if (found.all_topics_exist()) record();
}

void kafka_contact::update_missing(kafka::findings const& found)
{
    auto missing = found.missing_topics();
    auto changed = false;
    {
        std::lock_guard const lock{mutex_};
        answered_ = true;
        changed = missing != missing_;
        missing_ = missing;
    }
    if (changed && !missing.empty())
        log::warning(
            "topics not found, or no right to describe them: run `clerk-worker topics`", {{"detail", missing}});
}

void kafka_contact::record()
{
    auto const now = std::chrono::steady_clock::now();
    if (now < record_at_) return;
    postgres::session session{conninfo_, {}, record_silence_max};
    auto const result = session.run([&](pqxx::work& work) {
        work.exec(session_settings);
        postgres::record_kafka_contact(work, fingerprint_);
        postgres::remove_old_kafka_contacts(work);
    });
    auto const done = result.outcome == postgres::work_outcome::done;
    record_at_ = now + (done ? record_interval : trouble_interval);
    log_advice(result);
}

// The pipelines log an outage of the database. Only what an operator must fix is logged here.
void kafka_contact::log_advice(postgres::work_result const& result)
{
    auto const advice = postgres::kafka_contact_advice(result, grant).value_or("");
    if (advice.empty() || advice == std::exchange(logged_, advice)) return;
    log::warning(
        "cannot record that Kafka was reached; an ingest that starts while Kafka is unreachable stays not ready",
        {{"detail", result.detail}, {"advice", advice}});
}

}
