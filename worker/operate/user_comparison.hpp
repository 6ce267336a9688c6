#pragma once

// A page of users whom Clerk has just told, beside what the database holds of them: one statement a page, one verdict a
// user. Decodes each as the worker would, so that both see the same wishes.

#include "common/event/envelope.hpp"
#include "worker/operate/drift.hpp"
#include "worker/decide/role_map.hpp"
#include "worker/operate/user_page.hpp"
#include "worker/operate/drift_rows.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace clerk_strapi::worker
{

struct judge_settings
{
    std::string instance_id;
    std::string placeholder_domain;
    std::int64_t settle_ms{0};
    std::optional<role_map> roles; // ROLE_MAP
};

struct drifted_user
{
    listed_user const* user{nullptr}; // of the page
    drift verdict;
};

struct unusable_user
{
    std::string clerk_id;
    envelope_fault why{envelope_fault::not_json};
};

struct judged_page
{
    std::vector<drifted_user> drifted;
    std::vector<unusable_user> unusable; // the worker would park them
    std::size_t conflicts{0};
    std::size_t under_way{0};
};

// Nothing when the database fails: `rows` says how. The page must outlive the result.
[[nodiscard]] std::optional<judged_page> judge_users(
    drift_rows& rows, std::vector<listed_user> const& users, std::int64_t asked_at_ms, judge_settings const& settings);

}
