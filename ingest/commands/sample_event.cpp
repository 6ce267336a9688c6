#include "ingest/commands/sample_event.hpp"

#include "common/event/json_text.hpp"

namespace clerk_strapi::ingest
{
namespace
{

std::string text_or_null(std::optional<std::string> const& text) { return text ? json_string(*text) : "null"; }

std::string email_addresses(sample_user const& user)
{
    if (!user.email) return "[]";
    auto const verification = user.verified ? R"({"status":"verified","strategy":"email_code"})"
                                            : R"({"status":"unverified","strategy":"email_code"})";
    return R"([{"id":"idn_1","object":"email_address","email_address":)" + json_string(*user.email)
        + R"(,"verification":)" + verification + R"(,"linked_to":[]}])";
}

std::string user_json(sample_user const& user)
{
    auto const time = std::to_string(user.updated_at);
    return R"({"id":)" + json_string(user.id) + R"(,"object":"user","username":)" + text_or_null(user.username)
        + R"(,"first_name":)" + text_or_null(user.first_name) + R"(,"last_name":)" + text_or_null(user.last_name)
        + R"(,"email_addresses":)" + email_addresses(user) + R"(,"primary_email_address_id":)"
        + (user.email ? R"("idn_1")" : "null") + R"(,"phone_numbers":[],"primary_phone_number_id":null)"
        + R"(,"external_accounts":[],"public_metadata":)" + user.public_metadata
        + R"(,"private_metadata":{},"unsafe_metadata":{})" + R"(,"banned":)" + (user.banned ? "true" : "false")
        + R"(,"locked":false,"created_at":)" + time + R"(,"updated_at":)" + time + "}";
}

}

std::string sample_event(
    std::string_view type, sample_user const& user, std::string_view instance_id, std::int64_t timestamp_ms)
{
    auto const data = type == "user.deleted"
        ? R"({"id":)" + json_string(user.id) + R"(,"object":"user","deleted":true})"
        : user_json(user);
    return R"({"data":)" + data + R"(,"object":"event","type":)" + json_string(type) + R"(,"timestamp":)"
        + std::to_string(timestamp_ms) + R"(,"instance_id":)" + json_string(instance_id) + "}";
}

}
