#include "ingest/commands/send.hpp"

#include "ingest/webhook/signature.hpp"

#include <CLI/CLI.hpp>
#include <httplib.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <random>
#include <sstream>

namespace clerk_strapi::ingest
{
namespace
{

struct target
{
    std::string origin; // scheme://host:port
    std::string path;
};

std::optional<target> parse_target(std::string const& url)
{
    auto const scheme_end = url.find("://");
    if (scheme_end == std::string::npos) return std::nullopt;
    auto const scheme = url.substr(0, scheme_end);
    if (scheme != "http" && scheme != "https") return std::nullopt;
    auto const path = url.find('/', scheme_end + 3);
    if (path == std::string::npos) return target{url, "/webhooks/clerk"};
    auto rest = url.substr(path);
    return target{url.substr(0, path), rest == "/" ? "/webhooks/clerk" : rest};
}

std::optional<std::string> read_body(std::string const& file)
{
    if (file == "-") return std::string{std::istreambuf_iterator<char>{std::cin}, {}};
    std::ifstream stream{file, std::ios::binary};
    if (!stream) return std::nullopt;
    return std::string{std::istreambuf_iterator<char>{stream}, {}};
}

std::string random_text(std::size_t characters)
{
    constexpr std::string_view alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    std::random_device random;
    std::string text;
    for (std::size_t i = 0; i < characters; ++i)
        text += alphabet[random() % alphabet.size()];
    return text;
}

int usage_error(std::string const& sentence)
{
    std::fprintf(stderr, "clerk-ingest send: %s\n", sentence.c_str());
    return 2;
}

std::optional<std::string> body_of(send_options& options, std::chrono::system_clock::time_point now)
{
    if (options.file) return read_body(*options.file);
    auto const now_ms = std::chrono::floor<std::chrono::milliseconds>(now.time_since_epoch()).count();
    if (options.user.id.empty()) options.user.id = "user_" + random_text(27);
    if (options.user.updated_at == 0) options.user.updated_at = now_ms;
    return sample_event(options.type, options.user, options.instance_id, now_ms);
}

}

void add_send_flags(CLI::App& app, send_options& options)
{
    app.add_option("--to", options.to, "URL of ingest: http://host:port (the path defaults to /webhooks/clerk)")
        ->required();
    app.add_option("--type", options.type, "Event type: user.created, user.updated, user.deleted, or any other")
        ->capture_default_str();
    app.add_option("--file", options.file, "Send this file as the whole body, byte for byte; - reads standard input");
    app.add_option("--user", options.user.id, "Clerk id of the user; random by default");
    app.add_option("--email", options.user.email, "Primary e-mail address of the user");
    app.add_flag("!--unverified", options.user.verified, "Mark the e-mail address as not verified");
    app.add_option("--username", options.user.username, "Username of the user");
    app.add_option("--first-name", options.user.first_name, "First name of the user");
    app.add_option("--last-name", options.user.last_name, "Last name of the user");
    app.add_flag("--banned", options.user.banned, "Mark the user as banned");
    app.add_option("--public-metadata", options.user.public_metadata, "public_metadata of the user, as JSON")
        ->capture_default_str();
    app.add_option(
        "--updated-at", options.user.updated_at, "Time of the user's last change, in milliseconds; now by default");
    app.add_option("--instance", options.instance_id, "Id of the Clerk instance")->capture_default_str();
    app.add_option(
        "--secret", options.secret_text, "Sign with this secret, not with the first of CLERK_WEBHOOK_SIGNING_SECRET");
    app.add_option("--id", options.message_id, "Message id; random by default");
    app.add_option("--timestamp", options.timestamp_seconds, "Time of the signature, in seconds; now by default");
}

int send(send_options options, secret const& configured)
{
    auto const where = parse_target(options.to);
    if (!where) return usage_error("--to must be an http:// or https:// URL, but is \"" + options.to + "\"");
    auto const keys = parse_signing_keys(options.secret_text.value_or(configured.reveal()));
    if (!keys) return usage_error("the secret " + keys.error() + "; set CLERK_WEBHOOK_SIGNING_SECRET or --secret");
    auto const now = std::chrono::system_clock::now();
    auto const body = body_of(options, now);
    if (!body) return usage_error("cannot read \"" + *options.file + "\"");

    auto const id = options.message_id.value_or("msg_" + random_text(27));
    auto const timestamp = std::to_string(
        options.timestamp_seconds.value_or(std::chrono::floor<std::chrono::seconds>(now.time_since_epoch()).count()));
    httplib::Client client{where->origin};
    client.set_read_timeout(std::chrono::seconds{20});
    httplib::Headers const headers{{"svix-id", id}, {"svix-timestamp", timestamp},
        {"svix-signature", keys->front().sign(id, timestamp, *body)}, {"User-Agent", "clerk-ingest-send"}};
    auto const answer = client.Post(where->path, headers, *body, "application/json");
    if (!answer) {
        std::fprintf(stderr, "clerk-ingest send: no response from %s: %s\n", where->origin.c_str(),
            to_string(answer.error()).c_str());
        return 1;
    }
    if (!options.file) std::fprintf(stderr, "%s %s\n", options.type.c_str(), options.user.id.c_str());
    std::printf("%d %s\n", answer->status, answer->body.c_str());
    return answer->status >= 200 && answer->status < 300 ? 0 : 1;
}

}
