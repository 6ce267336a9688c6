#pragma once

// Finds all users whose e-mail or username may change with a batch (rule C10 of README.md, in this folder), and
// assigns their values. Looks each value up once. The result equals an assignment over all users (I2), as long as
// every row shows the values that its user was assigned, and every waiting list is stored (rule C9).

#include "worker/decide/value_conflicts.hpp"

#include <functional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace clerk_strapi::worker
{

struct affected_user
{
    candidate desires;
    std::vector<std::string> releasable; // values that others may be waiting for, if this user does not keep them
};

struct affected_rows
{
    std::vector<affected_user> users;
    std::vector<local_row> locals;
};

class conflict_closure
{
public:
    // `considered`: lock these values (rule L2), then find who has one of them or waits for one.
    // `released`: find who waits for one of these.
    using lookup = std::function<affected_rows(
        std::vector<std::string> const& considered, std::vector<std::string> const& released)>;

    explicit conflict_closure(std::string placeholder_domain)
        : domain_(std::move(placeholder_domain))
    {
    }

    void add(affected_user user); // no effect on a user that was added before
    void release(std::string value); // by a user who is no candidate any more
    [[nodiscard]] candidate& candidate_of(std::string const& clerk_id) { return candidates_[index_.at(clerk_id)]; }
    [[nodiscard]] bool empty() const { return candidates_.empty() && released_.empty(); }

    // In the order of candidates(). May be called again after a candidate was changed.
    [[nodiscard]] assignment assign(lookup const& find);
    [[nodiscard]] std::vector<candidate> const& candidates() const { return candidates_; }

private:
    void collect_released(assignment const& assigned);
    [[nodiscard]] std::vector<std::string> released_by_links(assignment const& assigned) const;
    void add_found(affected_rows found);

    std::string domain_;
    std::vector<candidate> candidates_;
    std::vector<std::vector<std::string>> releasable_; // by candidate
    std::unordered_map<std::string, std::size_t> index_; // of candidates_, by Clerk id
    std::vector<local_row> locals_;
    std::unordered_map<std::int64_t, std::size_t> local_index_;
    std::vector<std::string> released_; // not looked up yet
    std::unordered_set<std::string> considered_before_;
    std::unordered_set<std::string> released_before_;
};

}
