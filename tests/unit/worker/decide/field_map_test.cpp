// From a Clerk user to the values of Strapi's columns.

#include "common/event/clerk_user.hpp"
#include "worker/decide/document_id.hpp"
#include "worker/decide/field_map.hpp"
#include "worker/decide/profile_name.hpp"

#include <doctest/doctest.h>

#include <set>

using namespace clerk_strapi;
using namespace clerk_strapi::worker;

namespace
{

clerk_user user_of(std::string const& members)
{
    auto const decoded = decode_clerk_event(
        R"({"type":"user.updated","timestamp":1750000000000,"data":{"id":"user_1","updated_at":1750000000000,)"
        + members + "}}");
    REQUIRE(decoded.has_value());
    return decoded->user;
}

desired_values desired_of(std::string const& members) { return to_desired_values(user_of(members)); }

std::string address(std::string const& id, std::string const& text, std::string const& status)
{
    return R"({"id":")" + id + R"(","email_address":")" + text + R"(","verification":{"status":")" + status + R"("}})";
}

}

TEST_CASE("field map: e-mail is the primary one, else the first verified, else the first")
{
    auto const a = address("idn_a", "A@Example.com", "unverified");
    auto const b = address("idn_b", "b@example.com", "verified");
    auto const c = address("idn_c", "c@example.com", "verified");
    auto const list = R"("email_addresses":[)" + a + "," + b + "," + c + "]";
    struct
    {
        char const* name;
        std::string members;
        std::optional<std::string> email;
        bool verified;
    } const table[] = {
        {"primary is the third", list + R"(,"primary_email_address_id":"idn_c")", "c@example.com", true},
        {"primary is unverified", list + R"(,"primary_email_address_id":"idn_a")", "a@example.com", false},
        {"primary comes before the list", R"("primary_email_address_id":"idn_c",)" + list, "c@example.com", true},
        {"primary dangles", list + R"(,"primary_email_address_id":"idn_gone")", "b@example.com", true},
        {"primary null", list + R"(,"primary_email_address_id":null)", "b@example.com", true},
        {"none verified", R"("email_addresses":[)" + a + R"(],"primary_email_address_id":null)", "a@example.com",
            false},
        {"E6 phone only", R"("email_addresses":[],"primary_email_address_id":null)", std::nullopt, false},
        {"list absent", R"("username":null)", std::nullopt, false},
        {"verification null", R"("email_addresses":[{"id":"i","email_address":"x@y.z","verification":null}])", "x@y.z",
            false},
    };
    for (auto const& row : table) {
        CAPTURE(row.name);
        auto const desired = desired_of(row.members);
        CHECK(desired.email == row.email);
        CHECK(desired.email_verified == row.verified);
    }
}

TEST_CASE("field map: lower-cases e-mails as Strapi does, in every script [E2 E5]")
{
    struct
    {
        char const* written;
        char const* lowered;
    } const table[] = {
        {"Ada.Lovelace+X@Example.COM", "ada.lovelace+x@example.com"},
        {"MÜLLER@Straße.example", "müller@straße.example"},
        {"ŠÍPEK@ŽILINA.example", "šípek@žilina.example"},
        {"АДА@ПОЧТА.рф", "ада@почта.рф"},
        {"ΟΔΟΣ@ΣΑΣ.example", "οδος@σασ.example"},
        {"İ@x.example", "i\u0307@x.example"},
        {"عائشة@例え.example", "عائشة@例え.example"},
        {"👩‍👩‍👧𐐀@x.example", "👩‍👩‍👧𐐨@x.example"},
    };
    for (auto const& row : table) {
        CAPTURE(row.written);
        CHECK(desired_of(R"("email_addresses":[)" + address("i", row.written, "verified") + "]").email == row.lowered);
    }
}

TEST_CASE("field map: trims and joins names; banned or deprovisioned blocks, locked does not [E12]")
{
    struct
    {
        char const* members;
        std::optional<std::string> full_name;
        bool banned;
    } const table[] = {
        {R"("first_name":"Ada","last_name":"Lovelace")", "Ada Lovelace", false},
        {R"("first_name":" Ada ","last_name":"")", "Ada", false},
        {R"("first_name":null,"last_name":"Lovelace")", "Lovelace", false},
        {R"("first_name":"  ","last_name":null)", std::nullopt, false},
        {R"("first_name":null,"last_name":null,"locked":true)", std::nullopt, false},
        {R"("first_name":"A","banned":true)", "A", true},
        {R"("first_name":"A","deprovisioned":true)", "A", true},
        {R"("first_name":"\u202eabc","last_name":"👩‍👩‍👧")",
            "\u202e"
            "abc 👩‍👩‍👧",
            false},
        {R"("first_name":"a\u0000b")",
            "a\uFFFD"
            "b",
            false},
    };
    for (auto const& row : table) {
        CAPTURE(row.members);
        auto const desired = desired_of(row.members);
        CHECK(desired.full_name == row.full_name);
        CHECK(desired.banned == row.banned);
    }
}

TEST_CASE("field map: replaces U+0000 by U+FFFD in each column, and names the field [E1]")
{
    auto const primary = std::string{R"("primary_email_address_id":"i","email_addresses":[)"};
    struct
    {
        char const* name;
        std::string members;
        std::vector<mapped_field> replaced;
    } const table[] = {
        {"nowhere", R"("username":"ada","first_name":"Ada")", {}},
        {"the username", R"("username":"a\u0000b")", {mapped_field::username}},
        {"the first name", R"("first_name":"\u0000")", {mapped_field::full_name}},
        {"the last name", R"("first_name":"Ada","last_name":"a\u0000")", {mapped_field::full_name}},
        {"both names, once", R"("first_name":"\u0000","last_name":"\u0000\u0000")", {mapped_field::full_name}},
        {"the address in use", primary + address("i", R"(a\u0000@b.c)", "verified") + "]", {mapped_field::email}},
        {"an address that is not used",
            primary + address("j", R"(a\u0000@b.c)", "verified") + "," + address("i", "a@b.c", "verified") + "]", {}},
        {"metadata", R"("public_metadata":{"a\u0000":"b\u0000"},"unsafe_metadata":{"c":"\u0000"})", {}},
        {"a U+FFFD that Clerk itself sent", R"("username":"a\ufffdb","first_name":"\ufffd")", {}},
        {"all", R"("username":"\u0000","first_name":"\u0000",)" + primary + address("i", R"(\u0000)", "verified") + "]",
            {mapped_field::email, mapped_field::username, mapped_field::full_name}},
    };
    for (auto const& row : table) {
        CAPTURE(row.name);
        auto const user = user_of(row.members);
        CHECK(values_replaced_in(user) == row.replaced);
        auto const desired = to_desired_values(user);
        for (auto const* const text : {&desired.email, &desired.username, &desired.full_name})
            CHECK(text->value_or("").find('\0') == std::string::npos);
    }
    CHECK(desired_of(R"("username":"a\u0000\u0000b")").username
        == "a\xEF\xBF\xBD\xEF\xBF\xBD"
           "b");
}

TEST_CASE("field map: username is username, else e-mail, else id; e-mail has a placeholder [E6]")
{
    desired_values desired;
    auto values = map_to_strapi("user_2Ab", desired, "clerk.user");
    CHECK(values.email == "user_2ab@clerk.user");
    CHECK(values.username == "user_2Ab");
    desired.email = "a@b.c";
    CHECK(map_to_strapi("user_2Ab", desired, "clerk.user").username == "a@b.c");
    desired.username = "Ada";
    values = map_to_strapi("user_2Ab", desired, "clerk.user");
    CHECK(values.username == "Ada");
    CHECK(values.email == "a@b.c");
    CHECK(values.truncated.empty());
}

TEST_CASE("field map: cuts long values between characters, and names the field [E4]")
{
    desired_values desired;
    desired.email = "a@b.c";
    for (auto i = 0; i < 300; ++i)
        desired.full_name = desired.full_name.value_or("") + "é";
    auto const values = map_to_strapi("user_1", desired, "clerk.user");
    CHECK(values.full_name->size() == 255 * 2);
    REQUIRE(values.truncated.size() == 1);
    CHECK(values.truncated.front() == mapped_field::full_name);
    CHECK(cut_to_characters("añb", 2) == "añ");
    CHECK(cut_to_characters("abc", 3) == "abc");
}

TEST_CASE("document id: has Strapi's format, and depends on the user only [I4]")
{
    std::set<std::string> ids;
    for (auto i = 0; i < 2'000; ++i) {
        auto const id = user_document_id("user_" + std::to_string(i));
        REQUIRE(id.size() == 24);
        REQUIRE((id[0] >= 'a' && id[0] <= 'z'));
        REQUIRE(id.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789") == std::string::npos);
        ids.insert(id);
    }
    CHECK(ids.size() == 2'000);
    CHECK(user_document_id("user_1") == user_document_id("user_1"));
    CHECK(profile_document_id("user_1", "api::a.a") != profile_document_id("user_1", "api::b.b"));
}

TEST_CASE("profile name: a user without a name gets a generated one, always the same")
{
    auto const name = generated_profile_name("user_1");
    CHECK(name == generated_profile_name("user_1"));
    CHECK(name != generated_profile_name("user_2"));
    auto const digits = name.substr(name.size() - 4);
    CHECK(digits.find_first_not_of("0123456789") == std::string::npos);
    CHECK(digits >= "1000");
    desired_values desired;
    CHECK(profile_name("user_1", desired) == name);
    desired.full_name = "Ada";
    CHECK(profile_name("user_1", desired) == "Ada");
}
