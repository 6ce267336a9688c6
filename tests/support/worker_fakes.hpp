#pragma once

// In-memory fakes of the worker's three ports, with the contract of worker/ports.hpp.

#include "tests/support/events.hpp"
#include "worker/decide/fold.hpp"
#include "worker/ports.hpp"

#include <deque>
#include <map>
#include <set>
#include <string>

namespace clerk_strapi::tests
{

class fake_source : public worker::event_source
{
public:
    void finished(std::vector<worker::partition_position> const& positions) override
    {
        for (auto const& position : positions)
            committed_[position.partition] = position.next;
    }
    std::vector<worker::event_record> poll(std::chrono::milliseconds) override { return {}; }
    bool hold(std::chrono::milliseconds) override { return false; }

    [[nodiscard]] std::int64_t committed(std::int32_t partition = 0) const
    {
        auto const found = committed_.find(partition);
        return found == committed_.end() ? 0 : found->second;
    }

private:
    std::map<std::int32_t, std::int64_t> committed_;
};

// Strapi by the pure rule: one state per user, no rows.
class fake_store : public worker::user_store
{
public:
    void fail_next(int times, worker::apply_status status = worker::apply_status::unavailable)
    {
        for (auto i = 0; i < times; ++i)
            failures_.push_back(status);
    }
    void refuse(std::string const& clerk_id) { refused_.insert(clerk_id); }
    void accept(std::string const& clerk_id) { refused_.erase(clerk_id); }

    worker::apply_result apply(
        std::vector<user_event> const& events, std::vector<worker::partition_position> const& positions) override
    {
        ++calls_;
        if (!failures_.empty()) {
            auto const status = failures_.front();
            failures_.pop_front();
            return {status, "as configured", {}, {}, {}, {}};
        }
        for (auto const& event : events) {
            if (refused_.contains(event.clerk_id)) return {worker::apply_status::refused, "22001", {}, {}, {}, {}};
        }
        worker::apply_result result;
        for (auto const& event : events) {
            auto const merged = worker::merge_event(users_[event.clerk_id], event);
            users_[event.clerk_id] = merged.next;
            result.outcomes.push_back(merged.outcome);
        }
        for (auto const& position : positions)
            stored_[position.partition] = position.next;
        return result;
    }

    [[nodiscard]] worker::user_state state_of(std::string const& clerk_id) const
    {
        auto const found = users_.find(clerk_id);
        return found == users_.end() ? worker::user_state{} : found->second;
    }
    [[nodiscard]] std::int64_t position(std::int32_t partition = 0) const
    {
        auto const found = stored_.find(partition);
        return found == stored_.end() ? 0 : found->second;
    }
    [[nodiscard]] int calls() const { return calls_; }

private:
    std::deque<worker::apply_status> failures_;
    std::set<std::string> refused_;
    std::map<std::string, worker::user_state> users_;
    std::map<std::int32_t, std::int64_t> stored_;
    int calls_{0};
};

class fake_dead_letters : public worker::dead_letters
{
public:
    void cork() { corked_ = true; }
    void uncork() { corked_ = false; }
    bool publish(worker::event_record const& record, worker::dead_letter_cause const& cause) override
    {
        if (corked_) return false;
        published_.emplace_back(record.offset, std::string{cause.name()});
        return true;
    }
    [[nodiscard]] std::vector<std::pair<std::int64_t, std::string>> const& published() const { return published_; }

private:
    bool corked_{false};
    std::vector<std::pair<std::int64_t, std::string>> published_;
};

// Records as Kafka would return them, in one partition or several.
class record_maker
{
public:
    worker::event_record make(std::string const& clerk_id, int version, std::int32_t partition = 0)
    {
        auto const time = std::to_string(test_time_ms + version);
        return make_raw(clerk_id,
            R"({"type":"user.updated","timestamp":)" + time + R"(,"data":{"id":")" + clerk_id + R"(","updated_at":)"
                + time + R"(,"first_name":"Name )" + std::to_string(version) + R"("}})",
            partition);
    }

    worker::event_record make_raw(std::string const& key, std::string const& value, std::int32_t partition = 0)
    {
        struct memory
        {
            std::string key, value;
        };
        auto const kept = std::make_shared<memory>(memory{key, value});
        worker::event_record record;
        record.cluster = "test";
        record.topic = "events";
        record.partition = partition;
        record.offset = next_[partition]++;
        record.headers = {{"ce_specversion", "1.0"}, {"ce_id", "msg_1"}, {"ce_type", "clerk.user.updated"}};
        record.key = kept->key;
        record.value = kept->value;
        record.memory = kept;
        return record;
    }

private:
    std::map<std::int32_t, std::int64_t> next_;
};

}
