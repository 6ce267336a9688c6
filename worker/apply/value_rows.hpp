#pragma once

// The database side of who gets which e-mail and username (core/claim_closure): finds everybody concerned, serialises
// values by advisory locks and users by their states' locks, and asks whether a row can be given up for a local one.
// What it cannot lock without waiting in the wrong order it notes in `locks` and throws: the next try begins with them.

#include "worker/decide/conflict_closure.hpp"
#include "worker/apply/batch_parts.hpp"

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

    // His row must show his state.
    void ask(user_case const& user);
    // His row stays behind, blocked: it asks for values made of his id, and nobody shall do without because of it.
    void ask_for_blocked(user_case const& user, strapi_row const& row);
    // He is gone: what he had, or asked for, is free.
    void leave(user_case const& user);

    // Grants by Clerk id, also of users outside the batch: they are in `cases` then.
    [[nodiscard]] std::map<std::string, claim_grant> settle();

private:
    [[nodiscard]] value_claim claim_of(user_case const& user) const;
    [[nodiscard]] std::vector<std::string> values_held(user_case const& user) const;
    [[nodiscard]] neighbours look(std::vector<std::string> const& asked, std::vector<std::string> const& left);
    void lock(std::vector<std::string> const& values);
    void load_users(std::set<std::string> const& clerk_ids);
    [[nodiscard]] bool keep_rows_with_content(settlement const& settled);
    [[nodiscard]] std::set<std::int64_t> rows_with_content(std::vector<std::int64_t> const& ids);
    [[nodiscard]] bool may_read_references();

    batch_context& context_;
    claim_closure closure_;
    std::set<std::int64_t> own_ids_; // rows of users who are in the closure
    std::map<std::int64_t, bool> content_; // of rows that a link would take away
    bool locked_{false};
};

}
