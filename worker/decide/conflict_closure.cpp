#include "worker/decide/conflict_closure.hpp"

#include <utility>

namespace clerk_strapi::worker
{

void conflict_closure::add(affected_user user)
{
    if (!index_.try_emplace(user.desires.clerk_id, candidates_.size()).second) return;
    candidates_.push_back(std::move(user.desires));
    releasable_.push_back(std::move(user.releasable));
}

void conflict_closure::release(std::string value)
{
    if (!considered_before_.contains(value) && released_before_.insert(value).second)
        released_.push_back(std::move(value));
}

assignment conflict_closure::assign(lookup const& find)
{
    while (true) {
        auto assigned = assign_values(candidates_, locals_, domain_);
        std::vector<std::string> considered;
        auto const consider = [&](std::string const& value) {
            if (!value.empty() && considered_before_.insert(value).second) considered.push_back(value);
        };
        for (auto const& value : assigned.considered)
            consider(value);
        for (auto const& value : released_by_links(assigned)) // rule L5
            consider(value);
        collect_released(assigned);
        if (considered.empty() && released_.empty()) return assigned;
        auto const released = std::exchange(released_, {});
        add_found(find(considered, released));
    }
}

void conflict_closure::collect_released(assignment const& assigned)
{
    for (std::size_t i = 0; i < candidates_.size(); ++i) {
        auto const& kept = assigned.users[i];
        for (auto const& value : releasable_[i]) {
            if (!value.empty() && value != kept.email && value != kept.username) release(value);
        }
    }
}

std::vector<std::string> conflict_closure::released_by_links(assignment const& assigned) const
{
    std::vector<std::string> values;
    for (auto const& user : assigned.users) {
        if (!user.linked_row) continue;
        auto const& row = locals_[local_index_.at(*user.linked_row)];
        values.push_back(row.email);
        values.push_back(row.username);
    }
    return values;
}

void conflict_closure::add_found(affected_rows found)
{
    for (auto& user : found.users)
        add(std::move(user));
    for (auto& row : found.locals) {
        if (local_index_.try_emplace(row.id, locals_.size()).second) locals_.push_back(std::move(row));
    }
}

}
