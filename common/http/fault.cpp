#include "common/http/fault.hpp"

namespace clerk_strapi::http
{

fault_row describe(fault what)
{
    switch (what) {
    case fault::bad_request: return {400, "bad_request", "The request is not well-formed HTTP"};
    case fault::timeout: return {408, "timeout", "The request did not arrive in time"};
    case fault::too_large: return {413, "too_large", "The body is larger than the limit"};
    case fault::uri_too_long: return {414, "uri_too_long", "The request target is larger than the limit"};
    case fault::unsupported_encoding: return {415, "unsupported_encoding", "Encoded bodies are not accepted"};
    case fault::expectation_failed:
        return {417, "expectation_failed", "No expectation other than 100-continue is supported"};
    case fault::headers_too_large: return {431, "headers_too_large", "The header block is larger than the limit"};
    case fault::not_implemented: return {501, "not_implemented", "The method is not implemented"};
    case fault::overloaded: return {503, "overloaded", "The server is overloaded; try again later"};
    case fault::internal_error: return {500, "internal_error", "The request could not be handled"};
    }
    return {500, "internal_error", "The request could not be handled"};
}

response answer_for(fault what)
{
    auto const row = describe(what);
    auto answer = problem(row.status, row.type, row.title);
    answer.close = true;
    if (what == fault::overloaded) answer.headers.emplace_back("Retry-After", "2");
    return answer;
}

}
