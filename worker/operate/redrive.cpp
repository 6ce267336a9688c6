#include "worker/operate/redrive.hpp"

#include "common/kafka/waiting_producer.hpp"
#include "worker/operate/commands.hpp"
#include "worker/operate/progress.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <iostream>

namespace clerk_strapi::worker::commands
{

namespace
{

using namespace std::chrono_literals;
using nlohmann::ordered_json;

constexpr auto publish_timeout = 10s;

int fail(std::string const& fault)
{
    std::cerr << "dlq: " << fault << '\n';
    return exit_failed;
}

class redriver
{
public:
    redriver(worker_config const& config, redrive_options const& options)
        : config_{config}
        , options_{options}
        , scan_{config, options.filter}
        , originals_{config.kafka}
        , producer_{config.kafka, {.topics = {config.topics.user_events}}}
    {
    }

    int run()
    {
        if (auto const fault = scan_.open(); !fault.empty()) return fail(fault);
        progress shown{"dlq redrive", "records", std::nullopt};
        std::string failed;
        auto fault = scan_.each([&](letter const& one) {
            failed = send(one);
            shown.advance(1);
            return failed.empty();
        });
        if (fault.empty()) fault = failed;
        ordered_json const told{
            {"published", published_}, {"still_unusable", unusable_}, {"records", told_}, {"done", fault.empty()}};
        if (options_.json)
            std::cout << told.dump(2, ' ', false, ordered_json::error_handler_t::replace) << '\n';
        else
            std::cout << "dlq: " << published_ << " published, " << unusable_ << " still unusable\n";
        if (!fault.empty()) return fail(fault);
        return unusable_ > 0 ? exit_found : exit_done;
    }

private:
    // The fault that ends the command, or empty.
    std::string send(letter const& one)
    {
        auto view = one.record.view();
        std::vector<event_record> original;
        if (lacks_body(view, one.note)) {
            original = read_original(one.note);
            if (original.empty()) return keep(one, "body_gone"), std::string{};
            view.value = original.front().value;
        }
        auto const now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
        auto const& names = config_.topics;
        auto const plan = plan_redrive(view, {names.user_events, names.provisioning, names.snapshots},
            decoding_of(config_), now.time_since_epoch().count());
        if (!plan) return keep(one, plan.error().reason), std::string{};
        std::vector<kafka::header> headers;
        for (auto const& header : plan->headers)
            headers.push_back({header.name, header.value});
        auto const outcome =
            producer_.publish_and_wait({plan->topic, plan->key, plan->value, headers}, publish_timeout);
        switch (outcome) {
        case kafka::published::persisted: break;
        case kafka::published::too_large: return keep(one, "too_large"), std::string{};
        case kafka::published::not_persisted:
        case kafka::published::unknown: return "the brokers do not take records; the same command goes on";
        }
        ++published_;
        tell(one, "published", std::string{plan->topic});
        return scan_.mark(one, dead_letter_mark::redriven);
    }

    std::vector<event_record> read_original(dead_letter_info const& note)
    {
        auto const known = originals_.extents(std::string{note.topic});
        auto const holds = [&](partition_extent const& one) {
            return one.partition == note.partition && one.first <= note.offset && one.next > note.offset;
        };
        if (!known || std::none_of(known->begin(), known->end(), holds)) return {};
        originals_.begin(std::string{note.topic}, {{*note.partition, *note.offset, *note.offset + 1}});
        return originals_.poll(publish_timeout, 1);
    }

    void keep(letter const& one, std::string const& reason)
    {
        ++unusable_;
        tell(one, "still unusable", reason);
    }

    void tell(letter const& one, char const* became, std::string const& what)
    {
        if (options_.json) {
            if (told_.size() < options_.limit) told_.push_back({{"id", one.id()}, {"became", became}, {"what", what}});
            return;
        }
        std::cout << one.id() << "  " << became << (became[0] == 'p' ? " to " : ": ") << what << '\n';
    }

    worker_config const& config_;
    redrive_options const& options_;
    letter_scan scan_;
    kafka_topic_reader originals_;
    kafka::waiting_producer producer_;
    ordered_json told_ = ordered_json::array();
    std::uint64_t published_{0};
    std::uint64_t unusable_{0};
};

}

int redrive(worker_config const& config, redrive_options const& options) { return redriver{config, options}.run(); }

}
