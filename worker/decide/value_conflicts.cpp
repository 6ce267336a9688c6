#include "worker/decide/value_conflicts.hpp"

#include <algorithm>
#include <unordered_map>

namespace clerk_strapi::worker
{

namespace
{

constexpr claim_field fields[] = {claim_field::email, claim_field::username};

class settler
{
public:
    settler(std::vector<value_claim> const& claims, std::vector<local_row> const& locals, std::string_view domain)
        : claims_(claims)
        , locals_(locals)
        , domain_(domain)
        , released_(locals.size(), false)
    {
        for (std::size_t i = 0; i < locals.size(); ++i) {
            held_[locals[i].email].push_back(i);
            if (locals[i].username != locals[i].email) held_[locals[i].username].push_back(i);
        }
        settled_.grants.resize(claims.size());
        for (std::size_t i = 0; i < claims.size(); ++i) {
            for (auto const field : fields)
                pending_.push_back({i, field});
        }
    }

    settlement run()
    {
        for (std::size_t level = 0; !pending_.empty(); ++level) {
            auto const asks = asks_at(level);
            auto const best = best_askers(asks);
            if (level == 0) link(best);
            grant(asks, best);
        }
        for (auto& one : settled_.grants) {
            std::sort(one.waits_for.begin(), one.waits_for.end());
            one.waits_for.erase(std::unique(one.waits_for.begin(), one.waits_for.end()), one.waits_for.end());
        }
        return std::move(settled_);
    }

private:
    struct pending_field
    {
        std::size_t claim;
        claim_field field;
    };
    struct ask
    {
        pending_field by;
        std::string value;
    };
    using askers = std::unordered_map<std::string, std::size_t>;

    [[nodiscard]] std::vector<ask> asks_at(std::size_t level)
    {
        std::vector<ask> asks;
        asks.reserve(pending_.size());
        for (auto const& one : pending_) {
            asks.push_back({one, ask_at(claims_[one.claim], one.field, level, domain_)});
            settled_.asked.insert(asks.back().value);
        }
        pending_.clear();
        return asks;
    }

    [[nodiscard]] bool is_own(value_claim const& claim, std::string const& value) const
    {
        return value == claim.clerk_id
            || (value.ends_with(domain_) && value == placeholder_email(claim.clerk_id, domain_));
    }

    static bool is_his_address(value_claim const& claim, std::string const& value)
    {
        return claim.email_verified && claim.email == value;
    }

    [[nodiscard]] bool goes_first(value_claim const& a, value_claim const& b, std::string const& value) const
    {
        if (is_own(a, value) != is_own(b, value)) return is_own(a, value);
        if (is_his_address(a, value) != is_his_address(b, value)) return is_his_address(a, value);
        if (a.email_verified != b.email_verified) return a.email_verified;
        if (a.version != b.version) return a.version > b.version;
        return a.clerk_id < b.clerk_id;
    }

    [[nodiscard]] askers best_askers(std::vector<ask> const& asks) const
    {
        askers best;
        best.reserve(asks.size());
        for (auto const& one : asks) {
            auto& holder = best.try_emplace(one.value, one.by.claim).first->second;
            if (holder != one.by.claim && goes_first(claims_[one.by.claim], claims_[holder], one.value))
                holder = one.by.claim;
        }
        return best;
    }

    [[nodiscard]] std::vector<std::size_t> holders(std::string const& value) const
    {
        std::vector<std::size_t> found;
        if (held_.empty()) return found;
        auto const at = held_.find(value);
        if (at == held_.end()) return found;
        std::copy_if(
            at->second.begin(), at->second.end(), std::back_inserter(found), [&](auto i) { return !released_[i]; });
        return found;
    }

    // A linked row gives up what it had, which may make room for another link: until nothing moves.
    void link(askers const& best)
    {
        if (held_.empty()) return;
        auto moved = true;
        while (std::exchange(moved, false)) {
            for (std::size_t i = 0; i < claims_.size(); ++i)
                moved = link_one(i, best) || moved;
        }
    }

    [[nodiscard]] bool link_one(std::size_t i, askers const& best)
    {
        auto const& claim = claims_[i];
        auto& grant = settled_.grants[i];
        if (!claim.asks_link || grant.linked_row || best.at(claim.email) != i) return false;
        auto const held = holders(claim.email);
        auto const is_his = [&](auto row) { return locals_[row].linkable && locals_[row].email == claim.email; };
        grant.link_missed = std::any_of(held.begin(), held.end(), is_his);
        if (held.size() != 1 || !grant.link_missed || claim.keeps_own_row) return false;
        grant.link_missed = false;
        grant.linked_row = locals_[held.front()].id;
        released_[held.front()] = true;
        return true;
    }

    void grant(std::vector<ask> const& asks, askers const& best)
    {
        for (auto const& [by, value] : asks) {
            auto& grant = settled_.grants[by.claim];
            auto const taken = best.at(value) != by.claim || !holders(value).empty()
                || granted_.try_emplace(value, by.claim).first->second != by.claim; // his own other field may have it
            if (taken) {
                grant.waits_for.push_back(value);
                pending_.push_back(by);
                continue;
            }
            (by.field == claim_field::email ? grant.email : grant.username) = value;
        }
    }

    std::vector<value_claim> const& claims_;
    std::vector<local_row> const& locals_;
    std::string_view domain_;
    std::unordered_map<std::string, std::vector<std::size_t>> held_;
    std::vector<bool> released_;
    std::vector<pending_field> pending_;
    askers granted_;
    settlement settled_;
};

}

std::string_view to_string(claim_field field)
{
    switch (field) {
    case claim_field::email: return "email";
    case claim_field::username: return "username";
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

std::string ask_at(value_claim const& claim, claim_field field, std::size_t level, std::string_view placeholder_domain)
{
    auto const numbered = [&](std::size_t from) { return claim.clerk_id + "-" + std::to_string(level - from + 2); };
    switch (field) {
    case claim_field::email:
        if (level == 0) return claim.email;
        return placeholder_email(level == 1 ? claim.clerk_id : numbered(2), placeholder_domain);
    case claim_field::username:
        if (level == 0) return claim.username;
        if (level == 1) return placeholder_username(claim.clerk_id, claim.username);
        return level == 2 ? claim.clerk_id : numbered(3);
    }
    return claim.email;
}

settlement settle_claims(
    std::vector<value_claim> const& claims, std::vector<local_row> const& locals, std::string_view placeholder_domain)
{
    return settler{claims, locals, placeholder_domain}.run();
}

}
