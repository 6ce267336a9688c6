#include "tests/bench/sample_users.hpp"

#include <array>
#include <chrono>

namespace clerk_strapi::bench
{

namespace
{

constexpr std::uint64_t users_a_series = 10'000'000;
constexpr std::int64_t a_minute_ms = 60'000;

constexpr std::array first_names{"Ada", "Grace", "Edsger", "Barbara", "Donald", "Frances", "Tony", "Radia", "Niklaus",
    "Margaret", "Leslie", "Karen", "Dennis", "Shafi", "Ken", "Jean"};
constexpr std::array last_names{"Lovelace", "Hopper", "Dijkstra", "Liskov", "Knuth", "Allen", "Hoare", "Perlman",
    "Wirth", "Hamilton", "Lamport", "Jones", "Ritchie", "Goldwasser", "Thompson", "Bartik"};
constexpr std::array domains{"example.com", "example.org", "mail.example.net", "corp.example"};

// splitmix64: a pseudo-random number.
std::uint64_t scattered(std::uint64_t value)
{
    value += 0x9E3779B97F4A7C15ULL;
    value = (value ^ (value >> 30U)) * 0xBF58476D1CE4E5B9ULL;
    value = (value ^ (value >> 27U)) * 0x94D049BB133111EBULL;
    return value ^ (value >> 31U);
}

std::string base62(std::uint64_t value, std::size_t digits)
{
    constexpr std::string_view alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    std::string text(digits, '0');
    for (auto i = digits; i > 0; --i) {
        text[i - 1] = alphabet[value % alphabet.size()];
        value /= alphabet.size();
    }
    return text;
}

std::string lower(std::string_view text)
{
    std::string out{text};
    for (auto& c : out)
        c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    return out;
}

std::int64_t start_ms()
{
    using namespace std::chrono;
    static auto const at = duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
    return at - 30 * a_minute_ms; // never in the future, however often a user is renamed
}

std::string email_address(sample_user const& user, std::string const& time)
{
    return R"([{"created_at":)" + time + R"(,"email_address":")" + user.email + R"(","id":"idn_)"
        + user.clerk_id.substr(5)
        + R"(","linked_to":[],"matches_sso_connection":false,"object":"email_address","reserved":false,)"
        + R"("updated_at":)" + time + R"(,"verification":{"attempts":1,"expire_at":)" + time
        + R"(,"object":"verification_otp","status":"verified","strategy":"email_code"}}])";
}

std::string external_account(sample_user const& user, std::string const& time)
{
    return R"([{"approved_scopes":"email openid profile","created_at":)" + time + R"(,"email_address":")" + user.email
        + R"(","family_name":")" + user.last_name + R"(","given_name":")" + user.first_name
        + R"(","google_id":"104862781347","id":"eac_)" + user.clerk_id.substr(5)
        + R"(","object":"google_account","public_metadata":{},"updated_at":)" + time
        + R"(,"username":null,"verification":{"attempts":null,"status":"verified","strategy":"oauth_google"}}])";
}

}

sample_user make_user(std::uint64_t series, std::uint64_t index)
{
    auto const number = series * users_a_series + index;
    auto const chance = scattered(number);
    sample_user user;
    user.clerk_id = "user_2" + base62(number, 6) + base62(chance, 10) + base62(scattered(chance), 10);
    user.first_name = first_names[chance % first_names.size()];
    user.last_name = last_names[(chance >> 8U) % last_names.size()];
    auto const tail = base62(number, 6);
    user.username = lower(user.first_name) + "_" + base62(chance, 3) + tail;
    user.email = lower(user.first_name + "." + base62(scattered(number + 1), 4)) + "." + std::to_string(number) + "@"
        + domains[(chance >> 16U) % domains.size()];
    user.created_ms = user.updated_ms = start_ms();
    return user;
}

sample_user renamed(sample_user user)
{
    user.last_name += "-Byron";
    user.email = "new." + user.email;
    return touched(std::move(user));
}

sample_user touched(sample_user user)
{
    user.updated_ms += a_minute_ms;
    return user;
}

std::string event_id(sample_user const& user)
{
    return "msg_" + user.clerk_id.substr(5) + base62(static_cast<std::uint64_t>(user.updated_ms), 8);
}

std::string event_body(sample_user const& user, std::string_view type)
{
    auto const created = std::to_string(user.created_ms);
    auto const updated = std::to_string(user.updated_ms);
    auto const image = "https://img.clerk.com/" + user.clerk_id.substr(5);
    return R"({"data":{"backup_code_enabled":false,"banned":false,"bypass_client_trust":false,)"
           R"("create_organization_enabled":true,"create_organizations_limit":null,"created_at":)"
        + created + R"(,"delete_self_enabled":true,"email_addresses":)" + email_address(user, created)
        + R"(,"enterprise_accounts":[],"external_accounts":)" + external_account(user, created)
        + R"(,"external_id":null,"first_name":")" + user.first_name + R"(","has_image":true,"id":")" + user.clerk_id
        + R"(","image_url":")" + image + R"(","last_active_at":)" + updated + R"(,"last_name":")" + user.last_name
        + R"(","last_sign_in_at":null,"legal_accepted_at":null,"locale":null,"locked":false,)"
        + R"("lockout_expires_in_seconds":null,"mfa_disabled_at":null,"mfa_enabled_at":null,"object":"user",)"
        + R"("passkeys":[],"password_enabled":false,"phone_numbers":[],"primary_email_address_id":"idn_)"
        + user.clerk_id.substr(5) + R"(","primary_phone_number_id":null,"primary_web3_wallet_id":null,)"
        + R"("private_metadata":null,"profile_image_url":")" + image
        + R"(","public_metadata":{},"saml_accounts":[],"totp_enabled":false,"two_factor_enabled":false,)"
        + R"("unsafe_metadata":{},"updated_at":)" + updated + R"(,"username":")" + user.username
        + R"(","verification_attempts_remaining":100,"web3_wallets":[]},"event_attributes":{"http_request":)"
        + R"({"client_ip":"192.0.2.17","user_agent":"Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"}},)"
        + R"("instance_id":"ins_2bENCHMARK000000000000000","object":"event","timestamp":)" + updated + R"(,"type":")"
        + std::string{type} + R"("})";
}

}
