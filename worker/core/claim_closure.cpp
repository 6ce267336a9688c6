#include "worker/core/claim_closure.hpp"

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
        for (auto const& value : settled.asked) {
            if (asked_before_.insert(value).second) asked.push_back(value);
        }
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
        if (!grant.linked_row) continue;
        auto const& row = locals_[local_index_.at(*grant.linked_row)];
        give_up(row.email);
        give_up(row.username);
    }
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
