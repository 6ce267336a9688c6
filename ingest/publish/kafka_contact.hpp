#pragma once

// clerk_sync.kafka_contact for ingest: reads whether this Kafka configuration worked before, and records that it works.
// Runs on the io_context's thread; its queries run on a helper thread, each on a new connection. A missing table or
// privilege is logged once, with the fix, and checked again every minute.

#include "common/event/sha256.hpp"
#include "common/postgres/session.hpp"
#include "ingest/async/helper_threads.hpp"
#include "ingest/publish/kafka_readiness.hpp"

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <string>

namespace clerk_strapi::ingest
{

class contact_store
{
public:
    contact_store(boost::asio::io_context& io, postgres::session::conninfo_source conninfo, sha256_digest fingerprint);

    // Both return at once and may be called at any rate: one query runs at a time, and intervals are kept.
    void look_up();
    void record();

    // The result of the last look-up. Once `present`, always `present`.
    [[nodiscard]] contact_record found() const { return found_; }
    // Why the table cannot be used, for /readyz; empty when it can, or was not queried.
    [[nodiscard]] std::string const& trouble() const { return trouble_; }

private:
    using clock = std::chrono::steady_clock;
    enum class purpose { look_up, record };

    void query(purpose why);
    void take(purpose why, postgres::work_result const& result, bool present);
    void note_trouble(postgres::work_result const& result);

    postgres::session::conninfo_source conninfo_;
    sha256_digest fingerprint_;
    contact_record found_{contact_record::unknown};
    std::string trouble_;
    std::string logged_;
    bool querying_{false};
    clock::time_point query_at_; // no look-up before this time
    clock::time_point record_at_;
    helper_threads thread_; // last: its continuations use the members above
};

}
