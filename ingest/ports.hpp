#pragma once

// Where ingest ends. One port so far: the event log. `boost::asio::awaitable` is vocabulary here; sockets and
// timers are not.

#include "ingest/core/event_record.hpp"

#include <boost/asio/awaitable.hpp>

namespace clerk_strapi::ingest
{

enum class publish_outcome {
    persisted, // every in-sync replica has it: the one outcome that allows a 2xx (I1)
    queue_full, // not taken: too much is waiting already
    too_large, // not taken: the record is over what the brokers accept
    refused, // not taken, or surely not in the log
    timed_out, // no report in time; it may still come and changes nothing any more
    possibly_persisted, // nobody knows: answered as a failure, the sender's retry is a harmless copy (I2)
};

class event_log
{
public:
    virtual ~event_log() = default;
    // Answers within the publish timeout, whatever the brokers do. Copies the record before it first waits.
    [[nodiscard]] virtual boost::asio::awaitable<publish_outcome> publish(event_record const& record) = 0;
};

}
