#include "worker/decide/value_conflicts.hpp"

#include <algorithm>
#include <unordered_map>

namespace clerk_strapi::worker
{

namespace
{

constexpr value_field fields[] = {value_field::email, value_field::username};

class assigner
{
public:
    assigner(std::vector<candidate> const& candidates, std::vector<local_row> const& locals, std::string_view domain)
        : candidates_(candidates)
        , locals_(locals)
        , domain_(domain)
        , linked_(locals.size(), false)
    {
        for (std::size_t i = 0; i < locals.size(); ++i) {
            local_holders_[locals[i].email].push_back(i);
            if (locals[i].username != locals[i].email) local_holders_[locals[i].username].push_back(i);
        }
        result_.users.resize(candidates.size());
        for (std::size_t i = 0; i < candidates.size(); ++i) {
            for (auto const field : fields)
                open_.push_back({i, field});
        }
    }

    // Rule C4: one level after the other.
    assignment run()
    {
        for (std::size_t level = 0; !open_.empty(); ++level) {
            auto const bids = bids_at(level);
            auto const winners = winners_of(bids);
            if (level == 0) link(winners);
            assign(bids, winners);
        }
        for (auto& one : result_.users) {
            std::sort(one.waits_for.begin(), one.waits_for.end());
            one.waits_for.erase(std::unique(one.waits_for.begin(), one.waits_for.end()), one.waits_for.end());
        }
        return std::move(result_);
    }

private:
    struct open_field
    {
        std::size_t user; // an index of candidates_
        value_field field;
    };
    struct bid
    {
        open_field by;
        std::string value;
    };
    using users_by_value = std::unordered_map<std::string, std::size_t>;

    [[nodiscard]] std::vector<bid> bids_at(std::size_t level)
    {
        std::vector<bid> bids;
        bids.reserve(open_.size());
        for (auto const& one : open_) {
            bids.push_back({one, value_at_level(candidates_[one.user], one.field, level, domain_)});
            result_.considered.insert(bids.back().value);
        }
        open_.clear();
        return bids;
    }

    [[nodiscard]] bool is_made_of_own_id(candidate const& user, std::string const& value) const
    {
        return value == user.clerk_id
            || (value.ends_with(domain_) && value == placeholder_email(user.clerk_id, domain_));
    }

    static bool is_own_verified_address(candidate const& user, std::string const& value)
    {
        return user.email_verified && user.email == value;
    }

    // Rule C3.
    [[nodiscard]] bool ranks_before(candidate const& a, candidate const& b, std::string const& value) const
    {
        if (is_made_of_own_id(a, value) != is_made_of_own_id(b, value)) return is_made_of_own_id(a, value);
        if (is_own_verified_address(a, value) != is_own_verified_address(b, value))
            return is_own_verified_address(a, value);
        if (a.email_verified != b.email_verified) return a.email_verified;
        if (a.version != b.version) return a.version > b.version;
        return a.clerk_id < b.clerk_id;
    }

    [[nodiscard]] users_by_value winners_of(std::vector<bid> const& bids) const
    {
        users_by_value winners;
        winners.reserve(bids.size());
        for (auto const& one : bids) {
            auto& winner = winners.try_emplace(one.value, one.by.user).first->second;
            if (winner != one.by.user && ranks_before(candidates_[one.by.user], candidates_[winner], one.value))
                winner = one.by.user;
        }
        return winners;
    }

    // Local rows that have the value and are not linked yet.
    [[nodiscard]] std::vector<std::size_t> local_holders(std::string const& value) const
    {
        std::vector<std::size_t> found;
        if (local_holders_.empty()) return found;
        auto const at = local_holders_.find(value);
        if (at == local_holders_.end()) return found;
        std::copy_if(
            at->second.begin(), at->second.end(), std::back_inserter(found), [&](auto i) { return !linked_[i]; });
        return found;
    }

    // Rule C7. A link releases the values of its row, which may allow another link: repeats until none is added.
    void link(users_by_value const& winners)
    {
        if (local_holders_.empty()) return;
        auto added = true;
        while (std::exchange(added, false)) {
            for (std::size_t i = 0; i < candidates_.size(); ++i)
                added = link_one(i, winners) || added;
        }
    }

    [[nodiscard]] bool link_one(std::size_t i, users_by_value const& winners)
    {
        auto const& user = candidates_[i];
        auto& assigned = result_.users[i];
        if (!user.may_link || assigned.linked_row || winners.at(user.email) != i) return false;
        auto const holders = local_holders(user.email);
        auto const fits = [&](auto row) { return locals_[row].linkable && locals_[row].email == user.email; };
        assigned.link_prevented = std::any_of(holders.begin(), holders.end(), fits);
        if (holders.size() != 1 || !assigned.link_prevented || user.keeps_own_row) return false;
        assigned.link_prevented = false;
        assigned.linked_row = locals_[holders.front()].id;
        linked_[holders.front()] = true;
        return true;
    }

    void assign(std::vector<bid> const& bids, users_by_value const& winners)
    {
        for (auto const& [by, value] : bids) {
            auto& assigned = result_.users[by.user];
            auto const taken = winners.at(value) != by.user || !local_holders(value).empty()
                || owners_.try_emplace(value, by.user).first->second != by.user; // C1: the own other field may have it
            if (taken) {
                assigned.waits_for.push_back(value);
                open_.push_back(by);
                continue;
            }
            (by.field == value_field::email ? assigned.email : assigned.username) = value;
        }
    }

    std::vector<candidate> const& candidates_;
    std::vector<local_row> const& locals_;
    std::string_view domain_;
    std::unordered_map<std::string, std::vector<std::size_t>> local_holders_; // indexes of locals_, by value
    std::vector<bool> linked_; // by local row
    std::vector<open_field> open_; // not assigned yet
    users_by_value owners_;
    assignment result_;
};

}

std::string_view to_string(value_field field)
{
    switch (field) {
    case value_field::email: return "email";
    case value_field::username: return "username";
    }
    return "email";
}

std::string_view to_string(conflict_decision decision)
{
    switch (decision) {
    case conflict_decision::placeholder: return "placeholder";
    case conflict_decision::displaced: return "displaced";
    case conflict_decision::healed: return "healed";
    case conflict_decision::linked: return "linked";
    case conflict_decision::not_linked: return "not_linked";
    }
    return "placeholder";
}

std::string value_at_level(
    candidate const& user, value_field field, std::size_t level, std::string_view placeholder_domain)
{
    auto const numbered = [&](std::size_t from) { return user.clerk_id + "-" + std::to_string(level - from + 2); };
    switch (field) {
    case value_field::email:
        if (level == 0) return user.email;
        return placeholder_email(level == 1 ? user.clerk_id : numbered(2), placeholder_domain);
    case value_field::username:
        if (level == 0) return user.username;
        if (level == 1) return placeholder_username(user.clerk_id, user.username);
        return level == 2 ? user.clerk_id : numbered(3);
    }
    return user.email;
}

assignment assign_values(
    std::vector<candidate> const& candidates, std::vector<local_row> const& locals, std::string_view placeholder_domain)
{
    return assigner{candidates, locals, placeholder_domain}.run();
}

}
