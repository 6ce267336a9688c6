#pragma once

// An event publisher that stores the records in a list and returns a chosen outcome.

#include "ingest/ports.hpp"

#include <map>
#include <string>
#include <vector>

namespace clerk_strapi::tests
{

struct kept_record
{
    ingest::topic_role topic;
    std::optional<std::string> key;
    std::string value;
    std::map<std::string, std::string> headers;
};

class fake_event_publisher final : public ingest::event_publisher
{
public:
    boost::asio::awaitable<ingest::publish_outcome> publish(ingest::published_event const& record) override
    {
        if (answer_ == ingest::publish_outcome::persisted) keep(record);
        co_return answer_;
    }
    void answer_with(ingest::publish_outcome outcome) { answer_ = outcome; }
    [[nodiscard]] std::vector<kept_record> const& records() const { return records_; }

private:
    void keep(ingest::published_event const& record)
    {
        kept_record kept{record.topic(), std::nullopt, std::string{record.value()}, {}};
        if (auto const key = record.key()) kept.key = std::string{*key};
        for (auto const& [name, value] : record.headers())
            kept.headers.emplace(name, value);
        records_.push_back(std::move(kept));
    }

    ingest::publish_outcome answer_{ingest::publish_outcome::persisted};
    std::vector<kept_record> records_;
};

}
