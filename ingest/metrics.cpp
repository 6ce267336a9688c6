#include "ingest/metrics.hpp"

#include "build_version.hpp"
#include "ingest/webhook/signature.hpp"

#include <string>

namespace clerk_strapi::ingest
{
namespace
{

constexpr std::array<char const*, webhook_types> type_names{
    "user.created", "user.updated", "user.deleted", "other", "unknown"};
constexpr std::array<char const*, dependencies> dependency_names{"kafka", "postgres", "clerk"};

}

webhook_type webhook_type_of(event_kind kind)
{
    switch (kind) {
    case event_kind::created: return webhook_type::user_created;
    case event_kind::updated: return webhook_type::user_updated;
    case event_kind::deleted: return webhook_type::user_deleted;
    case event_kind::seen:
    case event_kind::snapshot: // published by ingest, never received as a webhook
    case event_kind::other: return webhook_type::other;
    }
    return webhook_type::other;
}

metrics::metrics()
    : registry_{std::make_shared<prometheus::Registry>()}
{
    auto& webhooks = prometheus::BuildCounter()
                         .Name("clerk_ingest_webhooks_total")
                         .Help("Webhooks by event type and outcome.")
                         .Register(*registry_);
    for (std::size_t type = 0; type < webhook_types; ++type) {
        for (std::size_t outcome = 0; outcome < webhook_outcomes; ++outcome) {
            webhooks_[type][outcome] = &webhooks.Add({{"type", type_names[type]},
                {"outcome", std::string{to_string(static_cast<webhook_outcome>(outcome))}}});
        }
    }
    publish_seconds_ = &prometheus::BuildHistogram()
                            .Name("clerk_ingest_publish_seconds")
                            .Help("Time from handing a record to the producer to its delivery report.")
                            .Register(*registry_)
                            .Add({},
                                prometheus::Histogram::BucketBoundaries{
                                    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10});
    auto& slots =
        prometheus::BuildCounter()
            .Name("clerk_ingest_secret_used_total")
            .Help(
                "Authentic webhooks by the position of their secret in the list, from 0. Constant: secret not in use.")
            .Register(*registry_);
    for (std::size_t slot = 0; slot < signing_keys_max; ++slot)
        secret_used_.push_back(&slots.Add({{"slot", std::to_string(slot)}}));
    http_refused_ = &prometheus::BuildCounter()
                         .Name("clerk_ingest_http_refused_total")
                         .Help("Requests that the HTTP layer rejected before any route, by problem type.")
                         .Register(*registry_);
    up_ = &prometheus::BuildGauge()
               .Name("clerk_ingest_dependency_up")
               .Help("1 if the dependency was reachable at the last check. Readiness does not depend on it.")
               .Register(*registry_);
    add_verify_families();
    add_alarms();
    prometheus::BuildGauge()
        .Name("clerk_ingest_build_info")
        .Help("Always 1. The labels name the running version and commit.")
        .Register(*registry_)
        .Add({{"version", build_version}, {"commit", build_commit}})
        .Set(1);
}

void metrics::add_verify_families()
{
    auto& verified = prometheus::BuildCounter()
                         .Name("clerk_ingest_verify_total")
                         .Help("Requests to /v1/auth/verify and /v1/auth/gateway, by outcome.")
                         .Register(*registry_);
    for (std::size_t outcome = 0; outcome < verify_outcomes; ++outcome)
        verified_[outcome] = &verified.Add({{"outcome", std::string{to_string(static_cast<verify_outcome>(outcome))}}});
    verify_seconds_ = &prometheus::BuildHistogram()
                           .Name("clerk_ingest_verify_seconds")
                           .Help("Time from a request to /v1/auth/verify or /v1/auth/gateway to its response.")
                           .Register(*registry_)
                           .Add({},
                               prometheus::Histogram::BucketBoundaries{
                                   0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.01, 0.05, 0.25, 1, 2.5, 5});
    keys_refreshed_ = &prometheus::BuildCounter()
                           .Name("clerk_ingest_jwks_refresh_total")
                           .Help("Fetches of the signing key set of session tokens, by outcome.")
                           .Register(*registry_);
    keys_age_ =
        &prometheus::BuildGauge()
             .Name("clerk_ingest_jwks_age_seconds")
             .Help("Time since the start of the last successful key set fetch. Above 3600 every token gets 503.")
             .Register(*registry_);
}

void metrics::add_alarms()
{
    keys_ignored_ = &prometheus::BuildGauge()
                         .Name("clerk_ingest_jwks_ignored_keys")
                         .Help("Ignored keys of the current key set: weak, duplicate, or not for signing.")
                         .Register(*registry_);
    clock_suspect_ =
        &prometheus::BuildGauge()
             .Name("clerk_ingest_clock_suspect")
             .Help("1 if the timestamp of the last authentic webhook was more than 300 s from this host's clock.")
             .Register(*registry_)
             .Add({});
    event_ids_reused_ = &prometheus::BuildCounter()
                             .Name("clerk_ingest_event_ids_reused_total")
                             .Help("Authentic webhooks with the id of an earlier webhook and a different body.")
                             .Register(*registry_)
                             .Add({});
}

prometheus::Labels metrics::outcome_label(std::string_view outcome) { return {{"outcome", std::string{outcome}}}; }

prometheus::Labels metrics::reason_label(std::string_view reason) { return {{"reason", std::string{reason}}}; }

void metrics::webhook(webhook_type type, webhook_outcome outcome)
{
    webhooks_[static_cast<std::size_t>(type)][static_cast<std::size_t>(outcome)]->Increment();
}

void metrics::published(std::chrono::steady_clock::duration took)
{
    publish_seconds_->Observe(std::chrono::duration<double>(took).count());
}

void metrics::secret_used(std::size_t slot) { secret_used_.at(slot)->Increment(); }

void metrics::verified(verify_outcome outcome, std::chrono::steady_clock::duration took)
{
    verified_[static_cast<std::size_t>(outcome)]->Increment();
    verify_seconds_->Observe(std::chrono::duration<double>(took).count());
}

void metrics::keys_refreshed(std::string_view outcome) { keys_refreshed_->Add(outcome_label(outcome)).Increment(); }

void metrics::keys_age(double seconds) { keys_age_->Add({}).Set(seconds); }

void metrics::keys_ignored(std::size_t count) { keys_ignored_->Add({}).Set(static_cast<double>(count)); }

void metrics::up(dependency which, bool up)
{
    up_->Add({{"dependency", dependency_names[static_cast<std::size_t>(which)]}}).Set(up ? 1 : 0);
}

}
