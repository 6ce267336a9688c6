#pragma once

// The database side of value conflicts: finds the affected users and rows, takes the locks of rules L2 to L5, and asks
// whether a row has content (rule C8). The rules are in worker/decide/README.md.

#include "worker/apply/batch_parts.hpp"
#include "worker/decide/conflict_closure.hpp"

#include <map>
#include <string>
#include <vector>

namespace clerk_strapi::worker
{

class value_rows
{
public:
    explicit value_rows(batch_context& context)
        : context_(context)
        , closure_(context.mapping.placeholder_domain)
    {
    }

    // A user whose row must show the user's state.
    void add(user_case const& user);
    // A deleted user whose row stays, blocked: a candidate by rule C11.
    void add_blocked(user_case const& user, strapi_row const& row);
    // A deleted user without a row: others may be assigned the user's values.
    void release(user_case const& user);

    // By Clerk id. Users outside the batch may be among them: they are in `cases` then.
    [[nodiscard]] std::map<std::string, assigned_values> assign();

private:
    [[nodiscard]] candidate candidate_for(user_case const& user) const;
    [[nodiscard]] std::vector<std::string> releasable_values(user_case const& user) const;
    [[nodiscard]] affected_rows find_affected(
        std::vector<std::string> const& considered, std::vector<std::string> const& released);
    void lock(std::vector<std::string> const& values);
    void load_users(std::set<std::string> const& clerk_ids);
    [[nodiscard]] bool keep_rows_with_content(assignment const& assigned);
    [[nodiscard]] std::set<std::int64_t> rows_with_content(std::vector<std::int64_t> const& ids);
    [[nodiscard]] bool may_read_references();

    batch_context& context_;
    conflict_closure closure_;
    std::set<std::int64_t> own_ids_; // rows of users who are in the closure
    std::map<std::int64_t, bool> content_; // of rows that a link would remove
    bool locked_{false};
};

}
