#pragma once

// Compares a page of Clerk's users with what the database has of them: one statement per page. Decodes each user as the
// worker does, so that both get the same desired values.

#include "common/event/envelope.hpp"
#include "worker/decide/role_map.hpp"
#include "worker/operate/drift.hpp"
#include "worker/operate/drift_rows.hpp"
#include "worker/operate/user_page.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace clerk_strapi::worker
{

struct comparison_settings
{
    std::string instance_id;
    std::string placeholder_domain;
    std::int64_t settle_ms{0};
    std::optional<role_map> roles; // ROLE_MAP
};

struct drifted_user
{
    listed_user const* user{nullptr}; // of the page
    drift difference;
};

struct unusable_user
{
    std::string clerk_id;
    envelope_fault why{envelope_fault::not_json};
};

struct compared_page
{
    std::vector<drifted_user> drifted;
    std::vector<unusable_user> unusable; // the worker would dead-letter them
    std::size_t conflicts{0};
    std::size_t under_way{0};
};

// Fails when the database fails. The page must outlive the result.
[[nodiscard]] result<compared_page, failure> compare_users(drift_rows& rows, std::vector<listed_user> const& users,
    std::int64_t asked_at_ms, comparison_settings const& settings);

}
