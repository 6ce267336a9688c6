#include "worker/operate/user_comparison.hpp"

#include "common/event/clerk_user.hpp"
#include "worker/decide/field_map.hpp"
#include "worker/operate/snapshot_record.hpp"

namespace clerk_strapi::worker
{
namespace
{

struct subject
{
    listed_user const* user;
    wanted_user wanted;
};

std::vector<subject> decoded(std::vector<listed_user> const& users, std::int64_t asked_at_ms,
    comparison_settings const& settings, compared_page& page)
{
    std::vector<subject> subjects;
    auto const role_key = settings.roles ? settings.roles->metadata_key : std::string{};
    for (auto const& user : users) {
        auto const body = decode_clerk_event(snapshot_value(user.raw, settings.instance_id, asked_at_ms), role_key);
        if (!body) {
            page.unusable.push_back({user.clerk_id, body.error()});
            continue;
        }
        wanted_user wanted{to_desired_values(body->user), {}};
        if (settings.roles) wanted.role_answer = settings.roles->answer(wanted.desired.role_hints);
        subjects.push_back({&user, std::move(wanted)});
    }
    return subjects;
}

}

result<compared_page, failure> compare_users(drift_rows& rows, std::vector<listed_user> const& users,
    std::int64_t asked_at_ms, comparison_settings const& settings)
{
    compared_page page;
    auto const subjects = decoded(users, asked_at_ms, settings, page);
    std::vector<drift_question> questions;
    for (auto const& one : subjects) {
        auto values = map_to_strapi(one.user->clerk_id, one.wanted.desired, settings.placeholder_domain);
        questions.push_back({one.user->clerk_id, std::move(values.email), std::move(values.username)});
    }
    auto const facts = rows.read(questions, true);
    if (!facts) return facts.error();
    for (std::size_t i = 0; i < subjects.size(); ++i) {
        auto const& [user, wanted] = subjects[i];
        auto const& found = (*facts)[i];
        auto difference = find_drift(user->clerk_id, wanted, found, settings.placeholder_domain);
        page.conflicts += difference.conflict ? 1 : 0;
        if (difference.kind == drift_kind::none) continue;
        auto const recent = is_under_way(user->updated_at_ms, asked_at_ms, settings.settle_ms, found);
        // No event lifts a tombstone, so waiting does not help.
        if (recent && difference.kind != drift_kind::tombstoned)
            ++page.under_way;
        else
            page.drifted.push_back({user, std::move(difference)});
    }
    return page;
}

}
