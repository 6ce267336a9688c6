#pragma once

// `clerk-ingest send`: signs a webhook as Clerk does and sends it, to test a deployment. Blocking; the service does not
// run.

#include "common/config/secret.hpp"
#include "ingest/commands/sample_event.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace CLI
{
class App;
}

namespace clerk_strapi::ingest
{

struct send_options
{
    std::string type{"user.created"};
    std::optional<std::string> file; // the whole body; - is standard input
    sample_user user;
    std::string instance_id{"ins_example"};
    std::string to;
    std::optional<std::string> secret_text; // instead of CLERK_WEBHOOK_SIGNING_SECRET
    std::optional<std::string> message_id;
    std::optional<std::int64_t> timestamp_seconds;
};

// Declares the flags of `send` on its subcommand.
void add_send_flags(CLI::App& app, send_options& options);

// Prints status and body. Returns 0 for 2xx, 1 for any other response or none, 2 for wrong options.
[[nodiscard]] int send(send_options options, secret const& configured);

}
