#include "common/process/stop_signal.hpp"
#include "worker/operate/backfill_cursor.hpp"
#include "worker/operate/clerk_access.hpp"
#include "worker/operate/clerk_pages.hpp"
#include "worker/operate/clock.hpp"
#include "worker/operate/commands.hpp"
#include "worker/operate/given_time.hpp"
#include "worker/operate/progress.hpp"
#include "worker/operate/snapshot_topic.hpp"

#include <CLI/CLI.hpp>

#include <charconv>
#include <iostream>
#include <memory>

namespace clerk_strapi::worker::commands
{
namespace
{

using namespace std::chrono_literals;

constexpr auto publish_patience = 60s;
// Clerk's clock and ours may differ by this much without a change being missed.
constexpr std::int64_t clock_margin_ms = 5 * 60 * 1000;
constexpr double rate_max = 100;

constexpr auto footer =
    R"(Reads the users from Clerk's API and publishes each one as a snapshot, which the workers apply. Needs
CLERK_SECRET_KEY, and the instance in CLERK_INSTANCE_IDS or --instance. Live events are not delayed or overwritten: a
worker reads snapshots only while the live topics have no lag, and the newer version of a user wins.
A backfill does not find deleted users; `clerk-worker reconcile` does.

Examples:
  clerk-worker backfill                    publish every user
  clerk-worker backfill --resume           continue an unfinished run; without one, start a new run
  clerk-worker backfill --since 24h        users changed since then; also 2026-11-23 or 2026-11-23T04:05:06Z
  clerk-worker backfill --dry-run          count the users, publish nothing
  clerk-worker backfill --rate 5           requests per second (default 20; 5 with a development key)

Exit codes: 0 done, 1 failed or stopped (continue with --resume), 2 wrong usage, configuration or instance.)";

std::size_t offset_of(std::string const& position)
{
    std::size_t offset = 0;
    std::from_chars(position.data(), position.data() + position.size(), offset);
    return offset;
}

struct backfill_options
{
    std::string since;
    std::string instance;
    double rate{0}; // requests per second; 0: the default
    bool resume{false};
    bool dry_run{false};
    bool json{false};
};

// One run, from the check of the instance to the last pass. The cursor moves only after the brokers have stored a page.
class backfill_run
{
public:
    backfill_run(worker_config const& config, clerk_access const& access, backfill_options const& options)
        : options_{options}
        , clerk_{access.reader, stop_}
        , allowed_{access.instances}
    {
        if (options.dry_run) return;
        publisher_ = std::make_unique<snapshot_topic>(
            config.kafka, config.topics.snapshots, [this] { return stop_.requested(); });
        conninfo_ = config.conninfo;
        topic_ = config.topics.snapshots;
    }

    int run(std::optional<std::int64_t> since_ms)
    {
        auto const instance = find_instance(clerk_, allowed_, "backfill");
        if (instance.id.empty()) return stop_.requested() ? stopped() : instance.exit_code;
        instance_ = instance.id;
        if (!begin(since_ms)) return exit_failed;
        expect_total();
        auto const good = read_all() && read_since() && read_changes();
        if (good) store(backfill_pass::done, "");
        shown_.reset();
        if (stop_.requested() && !good) return stopped();
        if (!good) return failed();
        return finished();
    }

private:
    bool begin(std::optional<std::int64_t> since_ms)
    {
        at_ = {now_ms(), since_ms, since_ms ? backfill_pass::since : backfill_pass::all, "", 0};
        if (!options_.dry_run) {
            cursor_ = std::make_unique<backfill_cursor>(conninfo_, instance_);
            auto const stored = cursor_->open();
            if (!stored) {
                std::cerr << "backfill: " << stored.error().what << '\n';
                return false;
            }
            resume_from(*stored);
            store(at_.pass, at_.position);
        }
        shown_.emplace("backfill", "users", std::nullopt);
        return true;
    }

    void resume_from(std::optional<backfill_position> const& stored)
    {
        auto const unfinished = stored && stored->pass != backfill_pass::done;
        if (unfinished && options_.resume) {
            at_ = *stored;
            std::cerr << "backfill: continuing the run of " << time_text(at_.begun_ms) << " after " << at_.published
                      << " users\n";
        } else if (unfinished) {
            std::cerr << "backfill: the run of " << time_text(stored->begun_ms) << " is unfinished after "
                      << stored->published << " users (--resume would continue it); starting a new run\n";
        } else if (options_.resume) {
            std::cerr << "backfill: no unfinished run; starting a new run\n";
        }
    }

    // For the progress line: without a total it shows no time left.
    void expect_total()
    {
        if (at_.pass != backfill_pass::all) return;
        auto const reply = clerk_.get("/v1/users/count");
        auto const total = integer_member(reply.body, "total_count");
        if (reply.status == 200 && total && *total > 0 && static_cast<std::uint64_t>(*total) > at_.published)
            shown_->expect(static_cast<std::uint64_t>(*total) - at_.published);
    }

    bool read_all()
    {
        if (at_.pass != backfill_pass::all) return true;
        pages_by_creation pages{clerk_, at_.position};
        for (auto page = pages.next(); page.what != clerk_page::kind::end; page = pages.next()) {
            if (!take(page)) return false;
            store(backfill_pass::all, pages.position());
        }
        store(backfill_pass::changed, "");
        return true;
    }

    bool read_since()
    {
        if (at_.pass != backfill_pass::since) return true;
        pages_by_change pages{clerk_, at_.since_ms.value_or(at_.begun_ms), offset_of(at_.position)};
        for (auto page = pages.next(); page.what != clerk_page::kind::end; page = pages.next()) {
            if (!take(page)) return false;
            store(backfill_pass::since, std::to_string(pages.offset()));
        }
        store(backfill_pass::changed, "");
        return true;
    }

    // Short, so a resumed run repeats it from its start.
    bool read_changes()
    {
        if (at_.pass != backfill_pass::changed) return true;
        pages_by_change pages{clerk_, at_.begun_ms - clock_margin_ms, 0};
        for (auto page = pages.next(); page.what != clerk_page::kind::end; page = pages.next()) {
            if (!take(page)) return false;
        }
        return true;
    }

    bool take(clerk_page const& page)
    {
        if (page.what != clerk_page::kind::users) {
            fault_ = page.fault;
            return false;
        }
        auto const& users = page.listed.users;
        if (page.listed.unusable > 0) skip(page.listed.unusable, "elements of Clerk's list have no valid user id");
        if (publisher_ && !publish(page)) return false;
        at_.published += users.size();
        taken_ += users.size();
        shown_->advance(users.size());
        return true;
    }

    bool publish(clerk_page const& page)
    {
        auto const& users = page.listed.users;
        auto const result = publisher_->publish(
            users.size(),
            [&](std::size_t i) {
                return snapshot_record(users[i].clerk_id, users[i].raw, instance_, page.reply.asked_at_ms);
            },
            publish_patience);
        if (result.status == publish_status::unavailable) fault_ = unavailable();
        if (result.status != publish_status::persisted) return false;
        for (auto const index : result.too_large)
            std::cerr << "backfill: " << users[index].clerk_id << " is too large for a Kafka record\n";
        if (!result.too_large.empty()) skip(result.too_large.size(), "users are too large for a Kafka record");
        return true;
    }

    std::string unavailable() const
    {
        auto const reason = publisher_->fault();
        return "the brokers did not store the records of " + topic_ + " within 60 s: "
            + (reason.empty() ? "check that they are up, and that the topic exists (`clerk-worker topics`)" : reason);
    }

    void skip(std::size_t count, char const* why)
    {
        skipped_ += count;
        std::cerr << "backfill: skipped " << count << ": " << why << '\n';
    }

    void store(backfill_pass pass, std::string position)
    {
        at_.pass = pass;
        at_.position = std::move(position);
        if (!cursor_ || cursor_->store(at_)) return;
        if (!std::exchange(warned_, true))
            std::cerr
                << "backfill: cannot store the position in the database; continuing (--resume would repeat users)\n";
    }

    int stopped() const
    {
        std::cerr << "backfill: stopped after " << at_.published << " users. "
                  << (options_.dry_run ? "" : "Continue with: clerk-worker backfill --resume") << '\n';
        summarise(false);
        return exit_failed;
    }

    int failed() const
    {
        std::cerr << "backfill: failed after " << at_.published << " users: " << fault_ << '.'
                  << (options_.dry_run ? "" : " Continue with: clerk-worker backfill --resume") << '\n';
        summarise(false);
        return exit_failed;
    }

    int finished() const
    {
        if (!options_.json) {
            std::cout << "backfill: " << at_.published
                      << (options_.dry_run ? " snapshots would be published" : " snapshots published to " + topic_)
                      << ", " << skipped_ << " skipped, " << clerk_.counts().requests << " requests to Clerk\n";
            if (clerk_.counts().limited > 0)
                std::cout << "Clerk returned 429 " << clerk_.counts().limited
                          << " times: a lower --rate leaves more of Clerk's limit to the site\n";
            if (!options_.dry_run)
                std::cout
                    << "The workers apply them while the live topics have no lag; watch clerk_worker_lag_records.\n";
        }
        summarise(true);
        return exit_done;
    }

    void summarise(bool finished) const
    {
        if (!options_.json) return;
        auto const& counts = clerk_.counts();
        std::cout << R"({"command":"backfill","finished":)" << (finished ? "true" : "false") << R"(,"dry_run":)"
                  << (options_.dry_run ? "true" : "false") << R"(,"users":)" << at_.published << R"(,"this_run":)"
                  << taken_ << R"(,"skipped":)" << skipped_ << R"(,"requests":)" << counts.requests << R"(,"limited":)"
                  << counts.limited << R"(,"retried":)" << counts.failed << "}\n";
    }

    backfill_options const& options_;
    stop_signal stop_;
    clerk_reader clerk_;
    std::vector<std::string> allowed_;
    std::string instance_;
    std::unique_ptr<snapshot_topic> publisher_; // null in a dry run
    postgres::session::conninfo_source conninfo_;
    std::unique_ptr<backfill_cursor> cursor_;
    std::string topic_;
    std::optional<progress> shown_;
    backfill_position at_;
    std::uint64_t taken_{0};
    std::uint64_t skipped_{0};
    std::string fault_;
    bool warned_{false};
};

int backfill(config_source& source, backfill_options const& options)
{
    auto const access = read_clerk_access(source, options.instance, options.rate);
    auto const config = load_config(source, {.kafka = !options.dry_run, .database = !options.dry_run});
    std::optional<std::int64_t> since;
    if (!options.since.empty()) {
        since = parse_given_time(options.since, now_ms());
        if (!since) throw config_error{"--since " + options.since + " is not " + given_time_forms};
    }
    return backfill_run{config, access, options}.run(since);
}

}

subcommand add_backfill(CLI::App& app)
{
    auto const options = std::make_shared<backfill_options>();
    auto* const command = app.add_subcommand("backfill", "Read all users from Clerk and publish each as a snapshot");
    command->footer(footer);
    auto* const resume = command->add_flag("--resume", options->resume, "Continue an unfinished run");
    auto* const dry_run =
        command->add_flag("--dry-run", options->dry_run, "Only count the users; uses neither Kafka nor the database");
    command->add_option("--since", options->since, "Only users changed since 2026-11-23T04:05:06Z, 2026-11-23, 24h, 7d")
        ->excludes(resume);
    dry_run->excludes(resume);
    command->add_option("--rate", options->rate, "Requests per second (default 20; 5 with a development key)")
        ->check(CLI::Range(0.01, rate_max));
    command->add_option(
        "--instance", options->instance, "The Clerk instance (ins_...) that CLERK_SECRET_KEY must belong to");
    command->add_flag("--json", options->json, "Print the result as one JSON object");
    return {command, [options](config_source& source) { return backfill(source, *options); }};
}

}
