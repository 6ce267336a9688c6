// bench-http-echo: the HTTP server of clerk-ingest with a handler that only responds. It shows the cost of the server
// and the kernel without signature, envelope and Kafka. Prints its port, and runs until it is ended.

#include "common/http/server.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstdio>
#include <exception>

int main()
try {
    namespace http = clerk_strapi::http;
    boost::asio::io_context io{1};
    http::server server{
        io, "127.0.0.1", 0, {}, [](http::request_view const&) -> boost::asio::awaitable<http::response> {
            http::response answer;
            answer.body = R"({"received":true})";
            co_return answer;
        }};
    server.start();
    std::printf("%u\n", static_cast<unsigned>(server.port()));
    std::fflush(stdout);
    io.run();
    return 0;
} catch (std::exception const& fault) {
    std::fprintf(stderr, "bench-http-echo: %s\n", fault.what());
    return 1;
}
