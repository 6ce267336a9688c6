#include "ingest/publish/kafka_contact.hpp"

#include "common/log/logging.hpp"
#include "common/postgres/kafka_contact.hpp"

#include <memory>
#include <utility>

namespace clerk_strapi::ingest
{
namespace
{

using namespace std::chrono_literals;

constexpr std::chrono::seconds query_interval = 5s;
constexpr std::chrono::seconds record_interval = 1h; // so that a new day's row is written soon after midnight
constexpr std::chrono::seconds trouble_interval = 1min; // how soon ingest notices a new grant or a `migrate`
constexpr auto session_settings = "set local statement_timeout = '2s'; set local lock_timeout = '2s'";
constexpr std::chrono::seconds silence_max{4}; // longer than a statement may take
constexpr auto grant =
    "SELECT (fingerprint), INSERT (fingerprint) ON clerk_sync.kafka_contact to ingest's database role";

struct answer
{
    postgres::work_result result;
    bool present{false};
};

}

contact_store::contact_store(
    boost::asio::io_context& io, postgres::session::conninfo_source conninfo, sha256_digest fingerprint)
    : conninfo_{std::move(conninfo)}
    , fingerprint_{fingerprint}
    , thread_{io, helper_threads::bounds{}}
{
}

void contact_store::look_up()
{
    if (found_ != contact_record::present && clock::now() >= query_at_) query(purpose::look_up);
}

void contact_store::record()
{
    if (clock::now() >= record_at_) query(purpose::record);
}

void contact_store::query(purpose why)
{
    if (querying_) return;
    querying_ = thread_.run([this, why, conninfo = conninfo_, fingerprint = fingerprint_](std::size_t) {
        auto const read = std::make_shared<answer>();
        postgres::session session{conninfo, {}, silence_max};
        read->result = session.run([&](pqxx::work& work) {
            work.exec(session_settings);
            if (why == purpose::look_up)
                read->present = postgres::is_kafka_contact_recorded(work, fingerprint);
            else
                postgres::record_kafka_contact(work, fingerprint);
        });
        return helper_threads::continuation{[this, why, read] { take(why, read->result, read->present); }};
    });
}

void contact_store::take(purpose why, postgres::work_result const& result, bool present)
{
    querying_ = false;
    auto const now = clock::now();
    bool const done = result.outcome == postgres::work_outcome::done;
    note_trouble(result);
    auto const wait = trouble_.empty() ? query_interval : trouble_interval;
    query_at_ = now + wait;
    record_at_ = now + (done && why == purpose::record ? record_interval : wait);
    if (why == purpose::look_up && done) found_ = present ? contact_record::present : contact_record::absent;
}

// Logs only what a person must fix. strapi_user_directory logs an outage of the database.
void contact_store::note_trouble(postgres::work_result const& result)
{
    auto const advice = postgres::kafka_contact_advice(result, grant);
    trouble_ = advice.value_or("");
    if (trouble_.empty() || std::exchange(logged_, trouble_) == trouble_) return;
    log::warning(
        "cannot use clerk_sync.kafka_contact; an ingest that starts while Kafka is unreachable stays not ready",
        {{"detail", result.detail}, {"advice", trouble_}});
}

}
