// The client of Clerk's API: every outcome of a call, and that each call ends.

#include "common/clerk/api_client.hpp"
#include "tests/support/http_stand_in.hpp"

#include <doctest/doctest.h>
#include <httplib.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <future>

#include <unistd.h>

namespace clerk_strapi::tests
{
namespace
{

using namespace std::chrono_literals;
using clerk::api_client;
using clerk::api_outcome;
using clock = std::chrono::steady_clock;
using kind = manner::kind;

bool holds(std::string const& text, std::string const& part) { return text.find(part) != std::string::npos; }

struct certificate
{
    // Self-signed, for the name "localhost" only.
    certificate()
        : key{EVP_RSA_gen(2048)}
        , x509{X509_new()}
        , path{(std::filesystem::temp_directory_path() / ("clerk_client_" + std::to_string(::getpid()) + ".pem"))
                   .string()}
    {
        X509_set_version(x509, 2);
        ASN1_INTEGER_set(X509_get_serialNumber(x509), 1);
        X509_gmtime_adj(X509_getm_notBefore(x509), -60);
        X509_gmtime_adj(X509_getm_notAfter(x509), 3600);
        X509_set_pubkey(x509, key);
        auto* const name = X509_get_subject_name(x509);
        X509_NAME_add_entry_by_txt(
            name, "CN", MBSTRING_ASC, reinterpret_cast<unsigned char const*>("localhost"), -1, -1, 0);
        X509_set_issuer_name(x509, name);
        auto* const names = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "DNS:localhost");
        X509_add_ext(x509, names, -1);
        X509_EXTENSION_free(names);
        X509_sign(x509, key, EVP_sha256());
        auto* const file = std::fopen(path.c_str(), "w");
        PEM_write_X509(file, x509);
        std::fclose(file);
    }
    ~certificate()
    {
        std::remove(path.c_str());
        X509_free(x509);
        EVP_PKEY_free(key);
    }
    EVP_PKEY* key;
    X509* x509;
    std::string path;
};

struct tls_stand_in
{
    explicit tls_stand_in(certificate const& own)
        : server{own.x509, own.key}
    {
        server.Get("/", [this](httplib::Request const&, httplib::Response& response) {
            ++requests;
            response.set_content("{}", "application/json");
        });
        port = server.bind_to_any_port("127.0.0.1");
        thread = std::thread{[this] { server.listen_after_bind(); }};
        while (!server.is_running())
            std::this_thread::yield();
    }
    ~tls_stand_in()
    {
        server.stop();
        thread.join();
    }
    httplib::SSLServer server;
    std::atomic<int> requests{0};
    int port{0};
    std::thread thread;
};

}

TEST_CASE("clerk api: returns any response whole; sends user agent, API version and key")
{
    http_stand_in clerk;
    api_client client{{.base_url = clerk.url() + "/proxied/", .bearer = [] { return secret{"sk_test_1"}; }}};
    clerk.answer(200, R"({"id":"user_1"})");
    auto const found = client.get("/v1/users/user_1", clock::now() + 5s);
    CHECK(found.outcome == api_outcome::answered);
    CHECK(found.status == 200);
    CHECK(found.body == R"({"id":"user_1"})");
    auto const request = clerk.last_request();
    CHECK(request.starts_with("GET /proxied/v1/users/user_1 HTTP/1.1\r\n"));
    CHECK(holds(request, "Authorization: Bearer sk_test_1\r\n"));
    CHECK(holds(request, "Clerk-API-Version: 2026-05-12\r\n"));
    CHECK(holds(request, "User-Agent: clerk-strapi-sync/"));

    clerk.answer(429, R"({"errors":[]})", "Retry-After: 7\r\n");
    auto const limited = client.get("/v1/users/user_1", clock::now() + 5s);
    CHECK(limited.status == 429);
    CHECK(limited.retry_after == 7s);
    clerk.answer(429, "{}", "Retry-After: tomorrow\r\n");
    CHECK_FALSE(client.get("/", clock::now() + 5s).retry_after);
    CHECK(clerk.connections() == 1); // kept
}

TEST_CASE("clerk api: returns a redirect and does not follow it (F21)")
{
    http_stand_in elsewhere;
    http_stand_in clerk;
    clerk.answer(302, "", "Location: " + elsewhere.url() + "/\r\n");
    api_client client{{.base_url = clerk.url()}};
    CHECK(client.get("/", clock::now() + 5s).status == 302);
    CHECK(elsewhere.requests() == 0);
}

TEST_CASE("clerk api: uses a changed key from the next call, never sends a broken one (F30)")
{
    http_stand_in clerk;
    std::string current = "sk_test_old";
    api_client client{{.base_url = clerk.url(), .bearer = [&] { return secret{current}; }}};
    CHECK(client.get("/", clock::now() + 5s).status == 200);
    current = "sk_test_new";
    CHECK(client.get("/", clock::now() + 5s).status == 200);
    CHECK(holds(clerk.last_request(), "Bearer sk_test_new\r\n"));
    current = "sk_test_x\r\nX-Other: 1";
    CHECK(client.get("/", clock::now() + 5s).status == 200);
    CHECK_FALSE(holds(clerk.last_request(), "X-Other"));
}

TEST_CASE("clerk api: ends a call at its deadline, however slow the peer is (F21) [I6]")
{
    for (auto const slow : {kind::hang, kind::dribble_head, kind::dribble_body}) {
        CAPTURE(static_cast<int>(slow));
        http_stand_in clerk{{slow}};
        api_client client{{.base_url = clerk.url()}};
        auto const begun = clock::now();
        auto const answer = client.get("/", begun + 300ms);
        CHECK(answer.outcome == api_outcome::timed_out);
        CHECK(clock::now() - begun >= 300ms);
        CHECK(clock::now() - begun < 3s);
        clerk.answer(200, "{}");
        CHECK(client.get("/", clock::now() + 5s).status == 200); // the next call works
    }
}

TEST_CASE("clerk api: reads a body up to its limit, announced or not (F21) [I6]")
{
    http_stand_in clerk{{kind::huge}};
    api_client client{{.base_url = clerk.url(), .body_bytes_max = 1000}};
    CHECK(client.get("/", clock::now() + 10s).outcome == api_outcome::too_large);
    clerk.answer(200, std::string(1001, ' '));
    CHECK(client.get("/", clock::now() + 10s).outcome == api_outcome::too_large);
    clerk.answer(200, std::string(1000, ' '));
    CHECK(client.get("/", clock::now() + 10s).body.size() == 1000);
}

TEST_CASE("clerk api: reports a broken connection and replaces a closed kept one (F29)")
{
    http_stand_in clerk;
    api_client client{{.base_url = clerk.url()}};
    CHECK(client.get("/", clock::now() + 5s).status == 200);
    clerk.behave({kind::cut, 200, std::string(1000, ' ')});
    CHECK(client.get("/", clock::now() + 5s).outcome == api_outcome::unreachable);
    clerk.behave({kind::close});
    CHECK(client.get("/", clock::now() + 5s).outcome == api_outcome::unreachable);
    clerk.answer(200, "{}");
    CHECK(client.get("/", clock::now() + 5s).status == 200);
    clerk.go_away();
    CHECK(client.get("/", clock::now() + 5s).outcome == api_outcome::unreachable);
    clerk.come_back();
    CHECK(client.get("/", clock::now() + 5s).status == 200);

    api_client nowhere{{.base_url = "http://no-such-host.invalid"}};
    CHECK(nowhere.get("/", clock::now() + 10s).outcome == api_outcome::unreachable);
}

TEST_CASE("clerk api: interrupt ends a waiting call and all later ones [I6]")
{
    http_stand_in clerk;
    clerk.hang();
    api_client client{{.base_url = clerk.url()}};
    auto call = std::async(std::launch::async, [&] { return client.get("/", clock::now() + 60s).outcome; });
    while (clerk.requests() == 0)
        std::this_thread::yield();
    client.interrupt();
    REQUIRE(call.wait_for(5s) == std::future_status::ready);
    CHECK(call.get() == api_outcome::interrupted);
    CHECK(client.get("/", clock::now() + 60s).outcome == api_outcome::interrupted);
}

TEST_CASE("clerk api: sends nothing without a trusted certificate for the host (F21) [I5]")
{
    certificate const own;
    tls_stand_in clerk{own};
    auto const port = std::to_string(clerk.port);
    auto const call = [](std::string const& url) {
        api_client client{{.base_url = url, .bearer = [] { return secret{"sk_test_1"}; }}};
        return client.get("/", clock::now() + 5s).outcome;
    };
    CHECK(call("https://localhost:" + port) == api_outcome::not_trusted); // self-signed
    ::setenv("SSL_CERT_FILE", own.path.c_str(), 1);
    CHECK(call("https://localhost:" + port) == api_outcome::answered);
    CHECK(call("https://127.0.0.1:" + port) == api_outcome::not_trusted); // trusted, for another name
    ::unsetenv("SSL_CERT_FILE");
    CHECK(clerk.requests == 1);

    http_stand_in plain;
    CHECK(call("https://localhost:" + std::to_string(plain.port())) == api_outcome::not_trusted);
}

}
