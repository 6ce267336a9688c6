#pragma once

// Applies records that were read again, with the decoder and the store of live events. A record that can never be
// applied is only counted: it was dead-lettered when it was first read. Keeps I2, I3; moves no offset (I7).

#include "common/event/backoff.hpp"
#include "common/process/stop_signal.hpp"
#include "worker/apply/store.hpp"
#include "worker/operate/failure.hpp"

#include <nlohmann/json.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <unordered_set>
#include <vector>

namespace clerk_strapi::worker::commands
{

struct replay_totals
{
    std::uint64_t read{0};
    std::uint64_t others{0}; // of users not selected by --user
    std::array<std::uint64_t, static_cast<std::size_t>(event_outcome::parked) + 1> outcomes{};
    std::map<std::string, std::uint64_t, std::less<>> unusable; // by dlq_reason
    std::uint64_t refused{0}; // by the database, when applied alone
    std::unordered_set<std::uint64_t> changed; // dry run: hashes of the ids of users whose rows would be written
};

// The totals as text, and as JSON.
[[nodiscard]] std::string lines_of(replay_totals const& totals, bool dry_run);
[[nodiscard]] nlohmann::ordered_json json_of(replay_totals const& totals, bool dry_run);

struct replay_choice
{
    replay_mode mode;
    std::string user; // empty: all users
    decode_rules decoding;
    std::chrono::seconds patience{60}; // how long to wait for an unavailable database
};

class replay_pass
{
public:
    replay_pass(strapi_store& store, stop_signal const& stop, replay_choice choice)
        : store_{store}
        , stop_{stop}
        , choice_{std::move(choice)}
    {
    }

    // Decodes and applies the records. What was applied before a failure is committed, and harmless to apply again.
    [[nodiscard]] result<void, failure> take(std::vector<event_record> const& records);

    [[nodiscard]] replay_totals const& totals() const { return totals_; }

private:
    [[nodiscard]] result<void, failure> apply(std::span<user_event const> events);
    void count(std::span<user_event const> events, apply_result const& applied);

    strapi_store& store_;
    stop_signal const& stop_;
    replay_choice choice_;
    replay_totals totals_;
};

}
