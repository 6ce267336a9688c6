#pragma once

// Finds everybody whose e-mail or username may change when some users come, change or go: who gets a value depends on
// all who ask for it, and whoever loses one value or leaves another touches the next. Asks the world (`look`) only
// about values it has not asked about, until nobody new appears. What comes out equals a settlement of all users there
// are (I2), as long as every row shows what its user was granted, and every user who does without says what he waits
// for.

#include "worker/decide/value_conflicts.hpp"

#include <functional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace clerk_strapi::worker
{

struct held_claim
{
    value_claim claim;
    std::vector<std::string> holds; // what his row shows now
};

struct neighbours
{
    std::vector<held_claim> claims;
    std::vector<local_row> locals;
};

class claim_closure
{
public:
    // `asked`: who has one of them, or waits for it? They are locked. `left`: who waits for one of them?
    using look = std::function<neighbours(std::vector<std::string> const& asked, std::vector<std::string> const& left)>;

    explicit claim_closure(std::string placeholder_domain)
        : domain_(std::move(placeholder_domain))
    {
    }

    void add(held_claim one); // a user who is known already stays as he is
    void leave(std::string value); // given up by somebody who asks for nothing any more
    [[nodiscard]] value_claim& claim_of(std::string const& clerk_id) { return claims_[index_.at(clerk_id)]; }
    [[nodiscard]] bool empty() const { return claims_.empty() && left_.empty(); }

    // Grants in the order of claims(). May be called again after a claim was changed.
    [[nodiscard]] settlement settle(look const& around);
    [[nodiscard]] std::vector<value_claim> const& claims() const { return claims_; }

private:
    void collect_left(settlement const& settled);
    [[nodiscard]] std::vector<std::string> given_up_by_links(settlement const& settled) const;
    void take_in(neighbours found);

    std::string domain_;
    std::vector<value_claim> claims_;
    std::vector<std::vector<std::string>> holds_; // by claim
    std::unordered_map<std::string, std::size_t> index_; // of claims, by Clerk id
    std::vector<local_row> locals_;
    std::unordered_map<std::int64_t, std::size_t> local_index_;
    std::vector<std::string> left_; // not yet looked at
    std::unordered_set<std::string> asked_before_;
    std::unordered_set<std::string> left_before_;
};

}
