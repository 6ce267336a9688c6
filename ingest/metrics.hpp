#pragma once

// ingest's metrics. All families and series are created once, so that counting is one atomic addition. Label values
// come only from enums.

#include "common/event/envelope.hpp"
#include "ingest/token/verify_outcome.hpp"
#include "ingest/webhook/reject_reason.hpp"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <array>
#include <chrono>
#include <memory>
#include <string_view>
#include <vector>

namespace clerk_strapi::ingest
{

// The `type` label. `other`: not a user event. `unknown`: rejected before the type was read.
enum class webhook_type { user_created, user_updated, user_deleted, other, unknown };
inline constexpr std::size_t webhook_types = 5;
[[nodiscard]] webhook_type webhook_type_of(event_kind kind);

enum class dependency { kafka, postgres, clerk };
inline constexpr std::size_t dependencies = 3;

class metrics
{
public:
    metrics();

    void webhook(webhook_type type, webhook_outcome outcome);
    void published(std::chrono::steady_clock::duration took);
    void secret_used(std::size_t slot);
    void verified(verify_outcome outcome, std::chrono::steady_clock::duration took);
    // `outcome` of a fetch of the key set: a refresh_outcome of token/key_source.
    void keys_refreshed(std::string_view outcome);
    // Creates the series with 0, so that rate() sees its first increase.
    void add_keys_outcome(std::string_view outcome) { static_cast<void>(keys_refreshed_->Add(outcome_label(outcome))); }
    void keys_age(double seconds);
    void keys_ignored(std::size_t count);
    void clock_suspect(bool suspect) { clock_suspect_->Set(suspect ? 1 : 0); }
    void event_id_reused() { event_ids_reused_->Increment(); }
    // `reason` of a request that the HTTP layer rejected: the problem type of common/http/fault.
    void http_rejected(std::string_view reason) { http_refused_->Add(reason_label(reason)).Increment(); }
    void add_http_reason(std::string_view reason) { static_cast<void>(http_refused_->Add(reason_label(reason))); }
    void up(dependency which, bool up);

    [[nodiscard]] std::shared_ptr<prometheus::Registry> registry() const { return registry_; }

private:
    void add_verify_families();
    void add_alarms();
    [[nodiscard]] static prometheus::Labels outcome_label(std::string_view outcome);
    [[nodiscard]] static prometheus::Labels reason_label(std::string_view reason);

    std::shared_ptr<prometheus::Registry> registry_;
    std::array<std::array<prometheus::Counter*, webhook_outcomes>, webhook_types> webhooks_{};
    prometheus::Histogram* publish_seconds_{nullptr};
    std::vector<prometheus::Counter*> secret_used_;
    std::array<prometheus::Counter*, verify_outcomes> verified_{};
    prometheus::Histogram* verify_seconds_{nullptr};
    prometheus::Family<prometheus::Counter>* keys_refreshed_{nullptr};
    prometheus::Family<prometheus::Gauge>* keys_age_{nullptr};
    prometheus::Family<prometheus::Gauge>* keys_ignored_{nullptr};
    prometheus::Family<prometheus::Counter>* http_refused_{nullptr};
    prometheus::Family<prometheus::Gauge>* up_{nullptr};
    prometheus::Gauge* clock_suspect_{nullptr};
    prometheus::Counter* event_ids_reused_{nullptr};
};

}
