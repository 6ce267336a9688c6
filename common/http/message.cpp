#include "common/http/message.hpp"

#include <algorithm>

namespace clerk_strapi::http
{
namespace
{

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

void append_header(std::string& out, std::string_view name, std::string_view value)
{
    out += name;
    out += ": ";
    out += value;
    out += "\r\n";
}

}

bool same_name(std::string_view one, std::string_view other)
{
    return one.size() == other.size()
        && std::equal(one.begin(), one.end(), other.begin(), [](char a, char b) { return lower(a) == lower(b); });
}

std::string_view request_view::header(std::string_view name) const
{
    for (auto const& each : headers) {
        if (same_name(each.name, name)) return each.value;
    }
    return {};
}

response problem(unsigned status, std::string_view type, std::string_view title, std::string_view detail)
{
    response answer;
    answer.status = status;
    answer.content_type = "application/problem+json";
    answer.body = R"({"type":"urn:clerk-strapi-sync:)";
    answer.body += type;
    answer.body += R"(","title":")";
    answer.body += title;
    answer.body += R"(","status":)";
    answer.body += std::to_string(status);
    if (!detail.empty()) {
        answer.body += R"(,"detail":")";
        answer.body += detail;
        answer.body += '"';
    }
    answer.body += '}';
    return answer;
}

std::string_view reason_phrase(unsigned status)
{
    switch (status) {
    case 200: return "OK";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 413: return "Content Too Large";
    case 414: return "URI Too Long";
    case 415: return "Unsupported Media Type";
    case 417: return "Expectation Failed";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 503: return "Service Unavailable";
    default: return "Unknown";
    }
}

void serialise(response const& answer, response_framing const& framing, std::string& out)
{
    out.clear();
    out += "HTTP/1.1 ";
    out += std::to_string(answer.status);
    out += ' ';
    out += reason_phrase(answer.status);
    out += "\r\n";
    append_header(out, "Date", framing.date);
    if (!answer.body.empty()) append_header(out, "Content-Type", answer.content_type);
    append_header(out, "Content-Length", std::to_string(answer.body.size()));
    if (!framing.keep_alive)
        append_header(out, "Connection", "close");
    else if (framing.version_1_0)
        append_header(out, "Connection", "keep-alive");
    for (auto const& [name, value] : answer.headers)
        append_header(out, name, value);
    out += "\r\n";
    if (!framing.without_body) out += answer.body;
}

}
