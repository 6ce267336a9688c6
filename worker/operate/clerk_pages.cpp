#include "worker/operate/clerk_pages.hpp"

#include <algorithm>
#include <utility>

namespace clerk_strapi::worker
{
namespace
{

constexpr std::size_t page_users = 500; // Clerk's largest page
constexpr std::size_t ids_kept = 5;
// When a user is deleted while we page by offset, all later users move one place forward and one would be skipped.
// Pages overlap, so that up to this many deletions between two pages do no harm.
constexpr std::size_t overlap_users = 25;

clerk_page faulty(clerk_reply reply)
{
    if (reply.kind == reply_kind::interrupted) return {clerk_page::kind::interrupted, {}, {}, {}};
    auto fault = explain(reply);
    return {clerk_page::kind::fault, std::move(reply), {}, std::move(fault)};
}

clerk_page read_page(clerk_reply reply)
{
    if (reply.kind != reply_kind::answered || reply.status != 200) return faulty(std::move(reply));
    clerk_page page{clerk_page::kind::users, std::move(reply), {}, {}};
    auto listed = split_page(page.reply.body);
    if (!listed) return {clerk_page::kind::fault, {}, {}, "Clerk's list of users is not a JSON array"};
    page.listed = std::move(*listed);
    if (page.listed.users.empty() && page.listed.unusable == 0) page.what = clerk_page::kind::end;
    return page;
}

std::string first_of(std::string const& ids) { return ids.substr(0, ids.find(',')); }

std::string without_first(std::string const& ids)
{
    auto const comma = ids.find(',');
    return comma == std::string::npos ? std::string{} : ids.substr(comma + 1);
}

std::string last_ids(std::vector<listed_user> const& users)
{
    std::string ids;
    auto const count = std::min(users.size(), ids_kept);
    for (std::size_t i = 0; i < count; ++i)
        ids += (i == 0 ? "" : ",") + users[users.size() - 1 - i].clerk_id;
    return ids;
}

bool rejects_position(clerk_reply const& reply)
{
    return reply.kind == reply_kind::answered && (reply.status == 400 || reply.status == 404 || reply.status == 422);
}

}

std::string explain(clerk_reply const& reply)
{
    if (reply.kind == reply_kind::gave_up) return "Clerk's API cannot be used: " + reply.why;
    if (reply.status == 401 || reply.status == 403)
        return "Clerk rejects the key (" + std::to_string(reply.status)
            + "): check that CLERK_SECRET_KEY is still valid";
    return "Clerk's API returned " + std::to_string(reply.status) + " or an unexpected body";
}

pages_by_creation::pages_by_creation(clerk_reader& clerk, std::string position)
    : clerk_{clerk}
    , position_{std::move(position)}
{
}

clerk_page pages_by_creation::next()
{
    for (;;) {
        auto const after = first_of(position_);
        auto target = "/v1/users?limit=" + std::to_string(page_users) + "&order_by=%2Bcreated_at";
        if (!after.empty()) target += "&starting_after=" + after;
        auto reply = clerk_.get(target);
        if (after.empty() || !rejects_position(reply)) return take(std::move(reply), after);
        // That user was deleted meanwhile: continue after the user before.
        position_ = without_first(position_);
        if (position_.empty())
            return {clerk_page::kind::fault, {}, {},
                "Clerk no longer has the users after which the next page starts; start a new run"};
    }
}

clerk_page pages_by_creation::take(clerk_reply reply, std::string const& after)
{
    auto page = read_page(std::move(reply));
    if (page.what != clerk_page::kind::users) return page;
    auto ids = last_ids(page.listed.users);
    if (ids.empty() || first_of(ids) == after)
        return {clerk_page::kind::fault, {}, {}, "Clerk's pages do not advance: starting_after has no effect"};
    position_ = std::move(ids);
    return page;
}

pages_by_change::pages_by_change(clerk_reader& clerk, std::int64_t until_ms, std::size_t offset)
    : clerk_{clerk}
    , until_ms_{until_ms}
    , offset_{offset}
{
}

clerk_page pages_by_change::next()
{
    if (ended_) return {};
    auto page = read_page(clerk_.get(
        "/v1/users?limit=" + std::to_string(page_users) + "&order_by=-updated_at&offset=" + std::to_string(offset_)));
    if (page.what != clerk_page::kind::users) return page;
    auto& users = page.listed.users;
    auto const count = users.size() + page.listed.unusable;
    auto const is_older = [this](listed_user const& user) { return user.updated_at_ms < until_ms_; };
    ended_ = count < page_users || std::any_of(users.begin(), users.end(), is_older);
    std::erase_if(users, is_older);
    offset_ += count > overlap_users ? count - overlap_users : 0;
    return page;
}

}
