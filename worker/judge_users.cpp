#include "worker/judge_users.hpp"

#include "common/core/clerk_user.hpp"
#include "worker/core/strapi_mapping.hpp"
#include "worker/snapshot_record.hpp"

namespace clerk_strapi::worker
{
namespace
{

struct subject
{
    listed_user const* user;
    user_wishes wishes;
};

std::vector<subject> decoded(
    std::vector<listed_user> const& users, std::int64_t asked_at_ms, std::string const& instance_id, judged_page& page)
{
    std::vector<subject> subjects;
    for (auto const& user : users) {
        auto const body = decode_clerk_event(snapshot_value(user.raw, instance_id, asked_at_ms));
        if (body)
            subjects.push_back({&user, to_wishes(body->user)});
        else
            page.unusable.push_back({user.clerk_id, body.error()});
    }
    return subjects;
}

}

std::optional<judged_page> judge_users(
    drift_rows& rows, std::vector<listed_user> const& users, std::int64_t asked_at_ms, judge_settings const& settings)
{
    judged_page page;
    auto const subjects = decoded(users, asked_at_ms, settings.instance_id, page);
    std::vector<drift_question> questions;
    for (auto const& one : subjects) {
        auto values = map_to_strapi(one.user->clerk_id, one.wishes, settings.placeholder_domain);
        questions.push_back({one.user->clerk_id, std::move(values.email), std::move(values.username)});
    }
    auto const facts = rows.read(questions, true);
    if (!facts) return std::nullopt;
    for (std::size_t i = 0; i < subjects.size(); ++i) {
        auto const& [user, wishes] = subjects[i];
        auto const& found = (*facts)[i];
        auto verdict = judge_drift(user->clerk_id, wishes, found, settings.placeholder_domain);
        page.conflicts += verdict.conflict ? 1 : 0;
        if (verdict.kind == drift_kind::none) continue;
        auto const young = is_under_way(user->updated_at_ms, asked_at_ms, settings.settle_ms, found);
        // A tombstone is never news under way: nothing that may come lifts it.
        if (young && verdict.kind != drift_kind::tombstoned)
            ++page.under_way;
        else
            page.drifted.push_back({user, std::move(verdict)});
    }
    return page;
}

}
