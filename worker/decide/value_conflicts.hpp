#pragma once

// E-mails and usernames are unique among Strapi's users by Strapi's own test: a value may stand in neither field of
// anybody else. Nothing in its database enforces that, so this decides who gets what (README, "Who gets a value").
// Pure: the grants depend on who asks and on the local rows, never on the order in which anybody came. Keeps I2.

#include "common/event/user_event.hpp"
#include "worker/decide/field_map.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

namespace clerk_strapi::worker
{

// The labels of clerk_worker_conflicts_total.
enum class claim_field { email, username };
enum class conflict_decision {
    placeholder, // somebody else has the value: ours does without
    displaced, // ours had it, and somebody with a better claim came
    healed, // ours did without, and now has it
    linked, // the local row that had the e-mail became the Clerk user's
    not_linked, // a local row has the verified e-mail, but cannot be linked; ours does without
};
[[nodiscard]] std::string_view to_string(claim_field field);
[[nodiscard]] std::string_view to_string(conflict_decision decision);

struct conflict
{
    claim_field field{claim_field::email};
    conflict_decision decision{conflict_decision::placeholder};
};

// One Clerk user who asks.
struct value_claim
{
    std::string clerk_id;
    std::string email; // what he asks for, mapped to Strapi's columns
    std::string username;
    bool email_verified{false};
    event_version version;
    bool asks_link{false}; // verified, known from more than a token, and the site wants linking
    bool keeps_own_row{false}; // he has a row that cannot be given up for a local one
};

// A row that stands for no Clerk user we know: it keeps what it has.
struct local_row
{
    std::int64_t id{0};
    std::string email;
    std::string username;
    bool linkable{true}; // false: it has a Clerk id, or had one
};

struct claim_grant
{
    std::string email;
    std::string username;
    std::vector<std::string> waits_for; // what he would rather have, sorted
    std::optional<std::int64_t> linked_row;
    bool link_missed{false}; // the e-mail is a local row's and it was his to link, but something forbids it
};

struct settlement
{
    std::vector<claim_grant> grants; // one a claim, in the claims' order
    std::unordered_set<std::string> asked; // every value that was looked at
};

// A user asks for one value after the other: his own wish, then placeholders. First all first wishes are settled, then
// all second ones among those who lost, and so on: a placeholder never stands in the way of a wish. Among equals: a
// value made of one's own id before all else, then one's own verified address, then verified before unverified, the
// newer version, the smaller Clerk id.
[[nodiscard]] settlement settle_claims(
    std::vector<value_claim> const& claims, std::vector<local_row> const& locals, std::string_view placeholder_domain);

// The value a user asks for when `level` earlier ones were refused; there is always one more.
[[nodiscard]] std::string ask_at(
    value_claim const& claim, claim_field field, std::size_t level, std::string_view placeholder_domain);

}
