#pragma once

// Reads Clerk's users page by page, in two orders. By creation: each page starts after the last user of the page
// before, so no user is skipped while others are created or deleted. By change, newest first, down to a time: for users
// that changed during a run.

#include "worker/operate/clerk_reader.hpp"
#include "worker/operate/user_page.hpp"

#include <cstdint>
#include <string>

namespace clerk_strapi::worker
{

struct clerk_page
{
    enum class kind { users, end, fault, interrupted };

    kind what{kind::end};
    clerk_reply
        reply; // `listed` has views of its body, which is on the heap, so they stay valid when the reply is moved
    user_page listed;
    std::string fault; // a sentence for the operator
};

class pages_by_creation
{
public:
    // `position`: that of an earlier reader; empty starts with the oldest user.
    pages_by_creation(clerk_reader& clerk, std::string position);

    [[nodiscard]] clerk_page next();
    // After the page that next() returned last: the ids of its last users, newest first. Several ids, because the next
    // page can only start after a user that still exists.
    [[nodiscard]] std::string const& position() const { return position_; }

private:
    [[nodiscard]] clerk_page take(clerk_reply reply, std::string const& after);

    clerk_reader& clerk_;
    std::string position_;
};

class pages_by_change
{
public:
    // Users that changed at `until_ms` or later; the first `offset` users are skipped.
    pages_by_change(clerk_reader& clerk, std::int64_t until_ms, std::size_t offset);

    [[nodiscard]] clerk_page next();
    [[nodiscard]] std::size_t offset() const { return offset_; }

private:
    clerk_reader& clerk_;
    std::int64_t until_ms_;
    std::size_t offset_;
    bool ended_{false};
};

// Why a reply is unusable: a sentence for the operator.
[[nodiscard]] std::string explain(clerk_reply const& reply);

}
