#include "worker/decide/conflict_closure.hpp"

#include <utility>

namespace clerk_strapi::worker
{

void claim_closure::add(held_claim one)
{
    if (!index_.try_emplace(one.claim.clerk_id, claims_.size()).second) return;
    claims_.push_back(std::move(one.claim));
    holds_.push_back(std::move(one.holds));
}

void claim_closure::leave(std::string value)
{
    if (!asked_before_.contains(value) && left_before_.insert(value).second) left_.push_back(std::move(value));
}

settlement claim_closure::settle(look const& around)
{
    while (true) {
        auto settled = settle_claims(claims_, locals_, domain_);
        std::vector<std::string> asked;
        auto const look_at = [&](std::string const& value) {
            if (!value.empty() && asked_before_.insert(value).second) asked.push_back(value);
        };
        for (auto const& value : settled.asked)
            look_at(value);
        // Whoever finds a local row in his way locks nothing of it: so what it gives up is locked like what is asked
        // for, or he would not see that it goes, nor we that he waits.
        for (auto const& value : given_up_by_links(settled))
            look_at(value);
        collect_left(settled);
        if (asked.empty() && left_.empty()) return settled;
        auto const left = std::exchange(left_, {});
        take_in(around(asked, left));
    }
}

void claim_closure::collect_left(settlement const& settled)
{
    for (std::size_t i = 0; i < claims_.size(); ++i) {
        auto const& grant = settled.grants[i];
        auto const give_up = [&](std::string const& value) {
            if (!value.empty() && value != grant.email && value != grant.username) leave(value);
        };
        for (auto const& value : holds_[i])
            give_up(value);
    }
}

std::vector<std::string> claim_closure::given_up_by_links(settlement const& settled) const
{
    std::vector<std::string> values;
    for (auto const& grant : settled.grants) {
        if (!grant.linked_row) continue;
        auto const& row = locals_[local_index_.at(*grant.linked_row)];
        values.push_back(row.email);
        values.push_back(row.username);
    }
    return values;
}

void claim_closure::take_in(neighbours found)
{
    for (auto& one : found.claims)
        add(std::move(one));
    for (auto& row : found.locals) {
        if (local_index_.try_emplace(row.id, locals_.size()).second) locals_.push_back(std::move(row));
    }
}

}
