#pragma once

// Users as Clerk sends them, made from two numbers: the same numbers always make the same user, and no two share an
// id, an e-mail or a username. Ids grow with the index, as Clerk's do (time first, then chance); e-mails are scattered.

#include <cstdint>
#include <string>
#include <string_view>

namespace clerk_strapi::bench
{

struct sample_user
{
    std::string clerk_id;
    std::string email;
    std::string username;
    std::string first_name;
    std::string last_name;
    std::int64_t created_ms{0};
    std::int64_t updated_ms{0};

    [[nodiscard]] std::string full_name() const { return first_name + " " + last_name; }
};

// `series` keeps the users of one part of the benchmark apart from those of another.
[[nodiscard]] sample_user make_user(std::uint64_t series, std::uint64_t index);

// The same user later: another last name, another e-mail.
[[nodiscard]] sample_user renamed(sample_user user);
// The same user later, with nothing changed that we map.
[[nodiscard]] sample_user touched(sample_user user);

// "msg_..." of the event with this state of this user.
[[nodiscard]] std::string event_id(sample_user const& user);

// The webhook's body: 2 KB with every member that Clerk documents. `type` is user.created or user.updated.
[[nodiscard]] std::string event_body(sample_user const& user, std::string_view type);

}
