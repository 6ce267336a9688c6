#include "common/http/request_reader.hpp"

#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

#include <algorithm>
#include <cstring>
#include <new>
#include <optional>

namespace clerk_strapi::http
{
namespace
{

namespace beast_http = boost::beast::http;
using boost::beast::error_code;
using boost::beast::string_view;

constexpr std::size_t buffer_bytes_first = 4 * 1024;
constexpr std::size_t scratch_bytes_min = 4 * 1024;
constexpr std::size_t buffer_bytes_kept = 8 * 1024;
constexpr std::size_t body_bytes_kept =
    16 * 1024; // the memory of a larger body is freed, because it is not counted between requests
// "0\r\n\r\n": at least so many bytes of an incomplete chunked message are missing. Beast asserts that they are all
// there when it continues with the last chunk.
constexpr std::size_t chunked_end_bytes = 5;

std::string_view std_view(string_view text) { return {text.data(), text.size()}; }

bool is_number(std::string_view text)
{
    return !text.empty() && text.size() <= 18
        && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

struct beast_parser final : beast_http::basic_parser<true>
{
    std::vector<header_view>* headers{nullptr};
    std::string* body{nullptr};
    std::size_t body_bytes_max{0};
    std::string_view method;
    std::string_view target;
    beast_http::verb verb{beast_http::verb::unknown};
    std::optional<fault> refused;
    int version{11};
    bool head_done{false};

private:
    void refuse(fault why, error_code& ec)
    {
        refused = why;
        ec = beast_http::error::bad_value;
    }
    void on_request_impl(
        beast_http::verb known, string_view text, string_view where, int number, error_code& ec) override
    {
        ec = {};
        version = number;
        verb = known;
        method = std_view(text);
        target = std_view(where);
    }
    void on_response_impl(int, string_view, int, error_code& ec) override { ec = {}; }
    void on_field_impl(beast_http::field, string_view name, string_view value, error_code& ec) override
    {
        ec = {};
        if (!head_done) headers->push_back({std_view(name), std_view(value)}); // trailers are ignored
    }
    void on_header_impl(error_code& ec) override
    {
        ec = {};
        head_done = true;
    }
    void on_body_init_impl(boost::optional<std::uint64_t> const&, error_code& ec) override { ec = {}; }
    std::size_t on_body_impl(string_view bytes, error_code& ec) override { return append(bytes, ec); }
    void on_chunk_header_impl(std::uint64_t bytes, string_view, error_code& ec) override
    {
        ec = {};
        if (bytes > (std::uint64_t{1} << 40U))
            refuse(fault::bad_request, ec); // not a size, but an attack on arithmetic
        else if (bytes > body_bytes_max - std::min(body_bytes_max, body->size()))
            refuse(fault::too_large, ec);
    }
    std::size_t on_chunk_body_impl(std::uint64_t, string_view bytes, error_code& ec) override
    {
        return append(bytes, ec);
    }
    void on_finish_impl(error_code& ec) override { ec = {}; }

    std::size_t append(string_view bytes, error_code& ec)
    {
        ec = {};
        if (body->size() + bytes.size() > body_bytes_max) {
            refuse(fault::too_large, ec);
            return 0;
        }
        body->append(bytes.data(), bytes.size());
        return bytes.size();
    }
};

}

class request_reader::parser
{
public:
    std::optional<beast_parser> beast;
};

request_reader::request_reader(head_limits head, std::size_t body_bytes_max)
    : head_limits_{head}
    , body_bytes_max_{body_bytes_max}
    , buffer_(buffer_bytes_first)
    , parser_{std::make_unique<parser>()}
{
    headers_.reserve(16);
}

request_reader::~request_reader() = default;

std::span<char> request_reader::space()
{
    // Grows within the head only. Afterwards views point into the buffer, and the bytes after the head are scratch.
    if (filled_ == buffer_.size()) buffer_.resize(buffer_.size() * 2);
    return std::span{buffer_}.subspan(filled_);
}

request_reader::progress request_reader::fail(fault why)
{
    reason_ = why;
    return progress::failed;
}

request_reader::progress request_reader::advance() { return head_complete() ? read_body() : read_head(); }

request_reader::progress request_reader::read_head()
{
    switch (scan_.advance({buffer_.data(), filled_}, head_limits_)) {
    case head_scan::progress::need_more: return progress::need_more;
    case head_scan::progress::malformed: return fail(fault::bad_request);
    case head_scan::progress::target_too_long: return fail(fault::uri_too_long);
    case head_scan::progress::too_large: return fail(fault::headers_too_large);
    case head_scan::progress::complete: break;
    }
    if (buffer_.size() < scan_.size() + scratch_bytes_min) buffer_.resize(scan_.size() + scratch_bytes_min);

    auto& beast = parser_->beast.emplace();
    beast.headers = &headers_;
    beast.body = &body_;
    beast.body_bytes_max = body_bytes_max_;
    beast.header_limit(static_cast<std::uint32_t>(head_limits_.bytes_max + 1));
    beast.body_limit(boost::none); // counted here, so that an absurd chunk size is 400 and a large chunk 413
    error_code ec;
    parsed_ = beast.put(boost::asio::buffer(buffer_.data(), scan_.size()), ec);
    if (ec || !beast.is_header_done() || parsed_ != scan_.size()) return fail(fault::bad_request);
    head_bytes_ = scan_.size();
    return check_head();
}

// Rejects what Beast accepts but two parsers could read differently, and what this server does not support.
request_reader::progress request_reader::check_head()
{
    auto const& beast = *parser_->beast;
    if (beast.target.size() > head_limits_.target_bytes_max) return fail(fault::uri_too_long);
    std::size_t lengths = 0;
    std::size_t encodings = 0;
    std::size_t hosts = 0;
    std::string_view expectation;
    bool inflated = false;
    bool has_body = false;
    for (auto const& [name, value] : headers_) {
        if (same_name(name, "Content-Length")) {
            if (!is_number(value)) return fail(fault::bad_request);
            has_body = has_body || value.find_first_not_of('0') != std::string_view::npos;
            ++lengths;
        } else if (same_name(name, "Transfer-Encoding")) {
            if (!same_name(value, "chunked")) return fail(fault::bad_request);
            has_body = true;
            ++encodings;
        } else if (same_name(name, "Host")) {
            ++hosts;
        } else if (same_name(name, "Expect")) {
            expectation = value;
        } else if (same_name(name, "Content-Encoding")) {
            inflated = inflated || !(value.empty() || same_name(value, "identity"));
        }
    }
    if (lengths + encodings > 1 || hosts > 1) return fail(fault::bad_request);
    if (version_1_0() ? encodings != 0 : hosts == 0) return fail(fault::bad_request);
    if (beast.verb == beast_http::verb::connect) return fail(fault::not_implemented);
    // A gateway sends the client's headers without its body.
    if (inflated && has_body) return fail(fault::unsupported_encoding);
    if (!expectation.empty() && !same_name(expectation, "100-continue")) return fail(fault::expectation_failed);

    if (auto const announced = beast.content_length(); lengths == 1 && announced) {
        if (*announced > body_bytes_max_) return fail(fault::too_large);
        if (*announced <= body_bytes_kept) body_.reserve(*announced);
    }
    auto const now = read_body();
    bool const waits = !expectation.empty() && !version_1_0() && now == progress::need_more && body_.empty();
    return waits ? progress::wants_continue : now;
}

request_reader::progress request_reader::read_body()
{
    auto& beast = *parser_->beast;
    while (!beast.is_done()) {
        if (filled_ - parsed_ < (beast.chunked() ? chunked_end_bytes : 1)) break;
        error_code ec;
        auto const taken = beast.put(boost::asio::buffer(buffer_.data() + parsed_, filled_ - parsed_), ec);
        parsed_ += taken;
        if (ec == beast_http::error::need_more) break;
        if (ec) return fail(beast.refused.value_or(fault::bad_request));
    }
    if (beast.is_done()) return progress::complete;

    // Unparsed bytes begin a chunk header or the trailer. They move to the front of the scratch.
    auto const rest = filled_ - parsed_;
    if (rest != 0 && parsed_ != head_bytes_) std::memmove(buffer_.data() + head_bytes_, buffer_.data() + parsed_, rest);
    parsed_ = head_bytes_;
    filled_ = head_bytes_ + rest;
    return filled_ == buffer_.size() ? fail(fault::bad_request) : progress::need_more;
}

request_view request_reader::request() const
{
    if (!head_complete()) return {};
    auto const& beast = *parser_->beast;
    return {beast.method, beast.target, headers_, body_};
}

bool request_reader::keep_alive() const { return head_complete() && parser_->beast->keep_alive(); }

bool request_reader::version_1_0() const { return head_complete() && parser_->beast->version == 10; }

void request_reader::drop_body()
{
    body_.clear();
    body_.shrink_to_fit();
}

void request_reader::next()
{
    auto const rest = filled_ - parsed_;
    if (rest != 0) std::memmove(buffer_.data(), buffer_.data() + parsed_, rest);
    filled_ = rest;
    parsed_ = 0;
    head_bytes_ = 0;
    scan_ = {};
    headers_.clear();
    body_.clear();
    if (body_.capacity() > body_bytes_kept) body_.shrink_to_fit();
    if (buffer_.size() > buffer_bytes_kept && filled_ <= buffer_bytes_first) {
        buffer_.resize(buffer_bytes_first);
        buffer_.shrink_to_fit();
    }
    reason_ = fault::bad_request;
}

}
