#pragma once

// Clerk's users, page by page, in two orders. By creation, each page behind the last user of the one before: nobody is
// skipped while others come and go. By change, newest first, down to a time: for what changed meanwhile.

#include "worker/operate/user_page.hpp"
#include "worker/operate/clerk_reader.hpp"

#include <cstdint>
#include <string>

namespace clerk_strapi::worker
{

struct clerk_page
{
    enum class kind { users, end, fault, interrupted };

    kind what{kind::end};
    clerk_reply reply; // its body holds what `listed` looks at: on the heap, so the views stay good when it is moved
    user_page listed;
    std::string fault; // for a person
};

class pages_by_creation
{
public:
    // `position`: where an earlier one stood; empty begins with the oldest user.
    pages_by_creation(clerk_reader& clerk, std::string position);

    [[nodiscard]] clerk_page next();
    // Behind the page that next() gave last: the ids of its last users, the newest first, so that the place is found
    // again when some of them are deleted meanwhile.
    [[nodiscard]] std::string const& position() const { return position_; }

private:
    [[nodiscard]] clerk_page take(clerk_reply reply, std::string const& after);

    clerk_reader& clerk_;
    std::string position_;
};

class pages_by_change
{
public:
    // Users that changed at `until_ms` or later; `offset` of them are passed over.
    pages_by_change(clerk_reader& clerk, std::int64_t until_ms, std::size_t offset);

    [[nodiscard]] clerk_page next();
    [[nodiscard]] std::size_t offset() const { return offset_; }

private:
    clerk_reader& clerk_;
    std::int64_t until_ms_;
    std::size_t offset_;
    bool ended_{false};
};

// What cannot be used of a reply, for a person.
[[nodiscard]] std::string explain(clerk_reply const& reply);

}
