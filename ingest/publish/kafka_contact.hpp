#pragma once

// clerk_sync.kafka_contact for ingest: looks up whether this way to Kafka worked before, and records that it does.
// Lives on the io_context's thread; its queries run on a helper thread, on a connection that is closed after each. A
// table or a right that is missing is logged once, with what to do, and looked for again a minute later.

#include "common/event/sha256.hpp"
#include "common/postgres/session.hpp"
#include "ingest/publish/kafka_readiness.hpp"
#include "ingest/async/helper_threads.hpp"

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <string>

namespace clerk_strapi::ingest
{

class contact_store
{
public:
    contact_store(boost::asio::io_context& io, postgres::session::conninfo_source conninfo, sha256_digest fingerprint);

    // Both return at once and may be called at any rate: one query runs at a time, and not again before its time.
    void look_up();
    void record();

    // What the last look-up found. A record is never forgotten again.
    [[nodiscard]] contact_record found() const { return found_; }
    // Why the table cannot be used, for /readyz; empty when it can, or was not asked.
    [[nodiscard]] std::string const& trouble() const { return trouble_; }

private:
    using clock = std::chrono::steady_clock;
    enum class purpose { look_up, record };

    void ask(purpose why);
    void take(purpose why, postgres::work_result const& result, bool present);
    void note_trouble(postgres::work_result const& result);

    postgres::session::conninfo_source conninfo_;
    sha256_digest fingerprint_;
    contact_record found_{contact_record::unknown};
    std::string trouble_;
    std::string logged_;
    bool asking_{false};
    clock::time_point look_at_; // not before
    clock::time_point record_at_;
    helper_threads thread_; // last: its continuations use all of the above
};

}
