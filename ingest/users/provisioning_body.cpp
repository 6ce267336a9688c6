#include "ingest/users/provisioning_body.hpp"

#include "common/event/json_text.hpp"

namespace clerk_strapi::ingest
{
namespace
{

std::int64_t milliseconds_of(std::chrono::system_clock::time_point time)
{
    return std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

std::string body_of(std::string_view type, std::int64_t time_ms, std::string_view instance_id, std::string_view data)
{
    std::string body = R"({"type":)";
    append_json_string(body, type);
    body += R"(,"timestamp":)" + std::to_string(time_ms);
    if (!instance_id.empty()) {
        body += R"(,"instance_id":)";
        append_json_string(body, instance_id);
    }
    body += R"(,"data":)";
    body += data;
    body += '}';
    return body;
}

void append_member(std::string& out, std::string_view name, std::optional<std::string> const& text)
{
    out += ",\"";
    out += name;
    out += "\":";
    text ? append_json_string(out, *text) : static_cast<void>(out += "null");
}

}

std::string user_seen_body(
    session_claims const& claims, std::string_view instance_id, std::chrono::system_clock::time_point now)
{
    auto const now_ms = milliseconds_of(now);
    std::string data = R"({"id":)";
    append_json_string(data, claims.clerk_id);
    data += R"(,"object":"user","created_at":)" + std::to_string(now_ms);
    append_member(data, "username", claims.profile.username);
    append_member(data, "first_name", claims.profile.first_name);
    append_member(data, "last_name", claims.profile.last_name);
    if (claims.profile.email) {
        data += R"(,"primary_email_address_id":"claim","email_addresses":[{"id":"claim","email_address":)";
        append_json_string(data, *claims.profile.email);
        data += "}]";
    }
    data += '}';
    return body_of(user_seen_type, now_ms, instance_id, data);
}

std::string user_snapshot_body(
    std::string_view user, std::string_view instance_id, std::chrono::system_clock::time_point asked_at)
{
    return body_of(user_snapshot_type, milliseconds_of(asked_at), instance_id, user);
}

}
