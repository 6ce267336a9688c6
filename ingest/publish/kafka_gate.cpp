#include "ingest/publish/kafka_gate.hpp"

#include "common/kafka/contact_fingerprint.hpp"
#include "common/log/logging.hpp"

#include <boost/asio/post.hpp>

#include <utility>
#include <vector>

namespace clerk_strapi::ingest
{
namespace
{

// Only sign-in publishes provisioning events.
std::vector<std::string> topics_of(config const& settings)
{
    std::vector<std::string> topics{settings.user_events_topic, settings.dead_letters_topic};
    if (settings.auth.is_on()) topics.push_back(settings.provisioning_topic);
    return topics;
}

std::unique_ptr<contact_store> make_store(boost::asio::io_context& io, config const& settings)
{
    if (!settings.auth.is_on()) return nullptr;
    auto const fingerprint = kafka::contact_fingerprint(
        settings.kafka, {settings.user_events_topic, settings.provisioning_topic, settings.dead_letters_topic});
    return std::make_unique<contact_store>(io, settings.auth.database, fingerprint);
}

}

kafka_gate::kafka_gate(boost::asio::io_context& io, config const& settings)
    : store_{make_store(io, settings)}
{
    view_.sign_in_configured = settings.auth.is_on();
    auto client = settings.kafka;
    client.client_id += "-readiness";
    watch_ = std::make_unique<kafka::topic_watch>(kafka::topic_watch_settings{std::move(client), topics_of(settings)},
        [this, &io](kafka::findings const& found) { boost::asio::post(io, [this, found] { take(found); }); });
}

void kafka_gate::take(kafka::findings const& found)
{
    view_.brokers_answered = view_.brokers_answered || found.answered();
    view_.topics_found = view_.topics_found || found.all_topics_exist();
    fault_ = found.fault;
    if (found.answered()) note_missing(found.missing_topics());
    advance();
}

void kafka_gate::note_missing(std::string topics)
{
    if (topics == missing_) return;
    missing_ = std::move(topics);
    if (missing_.empty()) return;
    log::warning("topics not found, or no right to describe them: run `clerk-worker topics`", {{"detail", missing_}});
}

void kafka_gate::update(bool brokers_up)
{
    view_.since_start = std::chrono::steady_clock::now() - started_;
    if (store_) {
        view_.record = store_->found();
        if (needs_record(state_, view_)) store_->look_up();
        if (view_.topics_found && brokers_up) store_->record();
    }
    advance();
}

void kafka_gate::advance()
{
    auto const before = std::exchange(state_, next_readiness(state_, view_));
    if (state_ == before) return;
    if (state_ == kafka_readiness::ready) log::info("all Kafka topics were found");
    if (state_ == kafka_readiness::ready_by_record)
        log::warning(
            "ready although no Kafka broker has answered since the start: KAFKA_BROKERS worked before, so ingest "
            "assumes an outage. Webhooks get 503 until a broker answers",
            {{"fault", fault_}});
}

void kafka_gate::begin_stop() { watch_->begin_stop(); }

health_check kafka_gate::health() const { return {"topics", is_ready(state_), true, detail()}; }

std::string kafka_gate::detail() const
{
    switch (state_) {
    case kafka_readiness::ready: return "found";
    case kafka_readiness::ready_by_record:
        if (!missing_.empty()) break;
        return "no broker has answered since the start; ready because KAFKA_BROKERS worked before";
    case kafka_readiness::topics_missing: break;
    case kafka_readiness::no_contact: {
        std::string text = "no broker of KAFKA_BROKERS has answered since the start: `clerk-ingest check` shows why";
        if (!fault_.empty()) text += " (" + fault_ + ")";
        if (store_ && !store_->trouble().empty()) text += "; " + store_->trouble();
        return text;
    }
    }
    return "not found, or no right to describe: " + missing_ + "; run `clerk-worker topics`";
}

}
