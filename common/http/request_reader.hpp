#pragma once

// Parses the requests of one connection, without I/O. Beast's basic_parser defines the grammar; this class also rejects
// what another parser could read as two requests. It counts a body as it arrives, not as it is announced.

#include "common/http/fault.hpp"
#include "common/http/head_scan.hpp"
#include "common/http/message.hpp"

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace clerk_strapi::http
{

class request_reader
{
public:
    enum class progress {
        need_more,
        wants_continue, // at most once per request: the client waits for 100 before it sends the body
        complete,
        failed, // see reason()
    };

    request_reader(head_limits head, std::size_t body_bytes_max);
    ~request_reader();
    request_reader(request_reader const&) = delete;
    request_reader& operator=(request_reader const&) = delete;

    // Where the next bytes are written; never empty.
    [[nodiscard]] std::span<char> space();
    void received(std::size_t bytes) { filled_ += bytes; }
    [[nodiscard]] progress advance();

    // No byte of a request has arrived.
    [[nodiscard]] bool idle() const { return filled_ == 0; }
    [[nodiscard]] bool head_complete() const { return head_bytes_ != 0; }
    [[nodiscard]] fault reason() const { return reason_; }
    [[nodiscard]] std::size_t body_bytes() const { return body_.size(); }

    // Method and target are known once the head is complete, the rest once the request is.
    [[nodiscard]] request_view request() const;
    [[nodiscard]] bool keep_alive() const;
    [[nodiscard]] bool version_1_0() const;

    // Frees the body, because the request will not be completed.
    void drop_body();
    // Drops this request and keeps the pipelined bytes after it.
    void next();

private:
    class parser;

    [[nodiscard]] progress read_head();
    [[nodiscard]] progress check_head();
    [[nodiscard]] progress read_body();
    [[nodiscard]] progress fail(fault why);

    head_limits head_limits_;
    std::size_t body_bytes_max_;
    std::vector<char> buffer_;
    std::size_t filled_{0};
    std::size_t parsed_{0}; // of the filled bytes
    std::size_t head_bytes_{0};
    head_scan scan_;
    std::unique_ptr<parser> parser_;
    std::vector<header_view> headers_;
    std::string body_;
    fault reason_{fault::bad_request};
};

}
