#include "common/process/stop_signal.hpp"
#include "worker/apply/store.hpp"
#include "worker/operate/clerk_access.hpp"
#include "worker/operate/clerk_pages.hpp"
#include "worker/operate/clock.hpp"
#include "worker/operate/commands.hpp"
#include "worker/operate/drift_report.hpp"
#include "worker/operate/drift_rows.hpp"
#include "worker/operate/progress.hpp"
#include "worker/operate/snapshot_topic.hpp"
#include "worker/operate/user_comparison.hpp"

#include <CLI/CLI.hpp>

#include <iostream>
#include <memory>
#include <unordered_set>

#include <unistd.h>

namespace clerk_strapi::worker::commands
{
namespace
{

using namespace std::chrono_literals;

constexpr auto publish_patience = 60s;
constexpr std::uint64_t deletions_without_consent_max = 10;
constexpr double rate_max = 100;
constexpr int settle_seconds_max = 86'400;

constexpr auto footer =
    R"(Compares Strapi's users with Clerk's and lists the drift:
  missing      Clerk has the user, Strapi does not
  differs      both have the user, and the listed fields differ
  extra        Strapi has the user, and Clerk returns 404 for the id
  tombstoned   Clerk has the user, but the user was deleted here; `clerk-worker user ID --revive` lifts the tombstone
A value that another user has, a block set by an administrator and a role set by hand are not drift.
Needs CLERK_SECRET_KEY, and the instance in CLERK_INSTANCE_IDS or --instance. Changes nothing without --repair. Each run
starts from the first user.

Examples:
  clerk-worker reconcile                       list the drift
  clerk-worker reconcile --json                one JSON object per line, the summary last
  clerk-worker reconcile --user user_2abc      check one user
  clerk-worker reconcile --repair              publish what is missing or differs; delete at most 10 extra users
  clerk-worker reconcile --repair --delete 42  the same, and delete the extra users if they are exactly 42

Exit codes: 0 no drift, or all of it repaired; 1 failed or stopped; 2 wrong usage, configuration or
instance; 3 drift.)";

struct reconcile_options
{
    std::string user;
    std::string instance;
    double rate{0}; // requests per second; 0: the default
    int settle_seconds{60};
    bool repair{false};
    std::optional<std::uint64_t> deletions; // --delete N
    bool json{false};
};

using id_set = std::unordered_set<std::string>;

class reconcile_run
{
public:
    reconcile_run(worker_config const& config, clerk_access const& access, reconcile_options const& options)
        : options_{options}
        , domain_{config.store.placeholder_domain}
        , roles_{config.store.roles}
        , allowed_{access.instances}
        , clerk_{access.reader, stop_}
        , report_{std::cout, options.json, ::isatty(STDOUT_FILENO) == 1 ? "\r\x1b[K" : ""}
    {
        if (options.repair)
            publisher_ = std::make_unique<snapshot_topic>(
                config.kafka, config.topics.snapshots, [this] { return stop_.requested(); });
    }

    int run(worker_config const& config)
    {
        auto const instance = find_instance(clerk_, allowed_, "reconcile");
        if (instance.id.empty()) return stop_.requested() ? failed({}) : instance.exit_code;
        instance_ = instance.id;
        auto done = open(config);
        if (done) done = options_.user.empty() ? compare_all() : compare_one(options_.user);
        shown_.reset();
        if (done) done = delete_extras();
        if (!done) return failed(done.error());
        report_.summarise(true, clerk_.counts().requests);
        print_next_step();
        auto const drifted = options_.repair ? report_.left() > 0 : report_.differences() > 0;
        return drifted ? exit_found : exit_done;
    }

private:
    result<void, failure> open(worker_config const& config)
    {
        strapi_store store{config.conninfo, config.store};
        auto const checked = store.check();
        if (checked.status != apply_status::applied) return failure{"cannot use the database: " + checked.detail};
        rows_ = std::make_unique<drift_rows>(config.conninfo, *store.schema(), config.store.sql);
        return rows_->begin();
    }

    result<void, failure> compare_all()
    {
        shown_.emplace("reconcile", "users", std::nullopt);
        auto const count = clerk_.get("/v1/users/count");
        auto const total = integer_member(count.body, "total_count");
        if (count.status == 200 && total && *total > 0) shown_->expect(static_cast<std::uint64_t>(*total));
        pages_by_creation pages{clerk_, ""};
        for (auto page = pages.next(); page.what != clerk_page::kind::end; page = pages.next()) {
            if (page.what != clerk_page::kind::users) return failure{page.fault};
            report_.count_unusable(page.listed.unusable);
            if (auto const taken = take(page.listed.users, page.reply.asked_at_ms); !taken) return taken;
            shown_->advance(page.listed.users.size());
        }
        return compare_candidates();
    }

    // Compares users that Clerk has just returned.
    result<void, failure> take(std::vector<listed_user> const& users, std::int64_t asked_at_ms)
    {
        auto const compared =
            compare_users(*rows_, users, asked_at_ms, {instance_, domain_, options_.settle_seconds * 1000LL, roles_});
        if (!compared) return compared.error();
        report_.count_checked(users.size());
        report_.count_conflicts(compared->conflicts);
        report_.count_under_way(compared->under_way);
        report_.count_unusable(compared->unusable.size());
        for (auto const& [id, why] : compared->unusable)
            std::cerr << "reconcile: " << id << ": cannot use Clerk's data: " << to_string(why) << '\n';
        return report_drift(compared->drifted, asked_at_ms);
    }

    result<void, failure> report_drift(std::vector<drifted_user> const& found, std::int64_t asked_at_ms)
    {
        std::vector<listed_user const*> to_repair;
        for (auto const& [user, difference] : found) {
            if (difference.kind == drift_kind::tombstoned) {
                if (auto const done = report_tombstoned(user->clerk_id, difference); !done) return done;
            } else {
                to_repair.push_back(user);
            }
        }
        auto const repaired = repair(to_repair, asked_at_ms);
        if (!repaired) return repaired.error();
        for (auto const& [user, difference] : found) {
            if (difference.kind != drift_kind::tombstoned)
                report_.add(user->clerk_id, difference, repaired->contains(user->clerk_id));
        }
        return {};
    }

    // Returns the ids whose record was published: none without --repair.
    result<id_set, failure> repair(std::vector<listed_user const*> const& users, std::int64_t asked_at_ms)
    {
        if (!publisher_) return id_set{};
        auto const too_large = publish(users.size(),
            [&](std::size_t i) { return snapshot_record(users[i]->clerk_id, users[i]->raw, instance_, asked_at_ms); });
        if (!too_large) return too_large.error();
        id_set repaired;
        for (auto const* const user : users)
            repaired.insert(user->clerk_id);
        for (auto const index : *too_large) {
            std::cerr << "reconcile: " << users[index]->clerk_id << " is too large for a Kafka record\n";
            repaired.erase(users[index]->clerk_id);
        }
        return repaired;
    }

    // The user may have been deleted in Clerk after the page was read.
    result<void, failure> report_tombstoned(std::string const& id, drift const& difference)
    {
        auto const reply = clerk_.get("/v1/users/" + id);
        if (reply.kind == reply_kind::answered && reply.status == 404) return {};
        if (reply.kind != reply_kind::answered || reply.status != 200) return failure{explain(reply)};
        report_.add(id, difference, false);
        return {};
    }

    result<void, failure> compare_candidates()
    {
        auto const count = rows_->find_candidates();
        if (!count) return count.error();
        if (*count == 0) return {};
        shown_.emplace("reconcile", "users that Clerk did not list", *count);
        std::string after;
        for (;;) {
            auto const ids = rows_->candidates_after(after);
            if (!ids) return ids.error();
            if (ids->empty()) return {};
            for (auto const& id : *ids) {
                if (auto const compared = compare_one(id); !compared) return compared;
                shown_->advance(1);
            }
            after = ids->back();
        }
    }

    // A user counts as absent only when Clerk returns 404 for the id itself.
    result<void, failure> compare_one(std::string const& id)
    {
        if (!is_user_id(id)) { // from Strapi's column; Clerk cannot be asked for it, so it is only reported
            report_.count_unusable(1);
            std::cerr << "reconcile: a Strapi user has a clerk_id that is not a Clerk user id: " << id << '\n';
            return {};
        }
        auto const reply = clerk_.get("/v1/users/" + id);
        if (reply.kind != reply_kind::answered) return failure{explain(reply)};
        if (reply.status == 404) return check_absent(id);
        auto user = reply.status == 200 ? read_listed_user(reply.body) : std::nullopt;
        if (!user || user->clerk_id != id) return failure{explain(reply)};
        return take({*user}, reply.asked_at_ms);
    }

    result<void, failure> check_absent(std::string const& id)
    {
        auto const facts = rows_->read({{id, "", ""}}, false);
        if (!facts) return facts.error();
        report_.count_checked(1);
        auto const& found = facts->front();
        auto const row_stays = found.strapi && !found.strapi->left_by_deletion;
        auto const gone = found.known ? found.known->tombstone && !row_stays : !row_stays;
        if (gone) return {};
        if (auto const confirmed = rows_->confirm(id); !confirmed) return confirmed;
        report_.add(id, {drift_kind::extra, {}, false}, false);
        return {};
    }

    result<void, failure> delete_extras()
    {
        auto const count = report_.extras();
        if (!publisher_ || count == 0) return {};
        auto const agreed = options_.deletions ? *options_.deletions == count : count <= deletions_without_consent_max;
        if (!agreed) {
            auto const limit = options_.deletions ? *options_.deletions : deletions_without_consent_max;
            std::cerr << "reconcile: refusing to delete " << count << " users that Clerk does not have ("
                      << (options_.deletions ? "--delete was " : "limit ") << limit << "); pass --delete " << count
                      << " to confirm\n";
            return {};
        }
        std::string after;
        for (;;) {
            auto const ids = rows_->confirmed_after(after);
            if (!ids) return ids.error();
            if (ids->empty()) return {};
            auto const published =
                publish(ids->size(), [&](std::size_t i) { return absence_record((*ids)[i], instance_, now_ms()); });
            if (!published) return published.error();
            report_.count_deleted(ids->size());
            after = ids->back();
        }
    }

    // Returns the indexes of records that are too large.
    result<std::vector<std::size_t>, failure> publish(
        std::size_t count, std::function<user_record(std::size_t)> const& make)
    {
        auto published = publisher_->publish(count, make, publish_patience);
        if (published.status == publish_status::persisted) return std::move(published.too_large);
        return failure{"the brokers did not store the records within 60 s: check that they are up, and that the "
                       "snapshot topic exists (`clerk-worker topics`)"};
    }

    void print_next_step() const
    {
        if (options_.json || report_.differences() == 0) return;
        if (!options_.repair)
            std::cout << "To repair: clerk-worker reconcile --repair\n";
        else
            std::cout << "The workers apply repairs while the live topics have no lag; run reconcile again to check.\n";
    }

    int failed(failure const& why)
    {
        shown_.reset();
        std::cerr << "reconcile: "
                  << (stop_.requested() ? "stopped; the next run starts from the first user" : why.what) << '\n';
        report_.summarise(false, clerk_.counts().requests);
        return exit_failed;
    }

    reconcile_options const& options_;
    std::string domain_;
    std::optional<role_map> roles_;
    std::vector<std::string> allowed_;
    stop_signal stop_;
    clerk_reader clerk_;
    drift_report report_;
    std::unique_ptr<snapshot_topic> publisher_; // null without --repair
    std::unique_ptr<drift_rows> rows_;
    std::optional<progress> shown_;
    std::string instance_;
};

int reconcile(config_source& source, reconcile_options const& options)
{
    auto const access = read_clerk_access(source, options.instance, options.rate);
    auto const config = load_config(source, {.kafka = options.repair});
    if (!options.user.empty() && !is_user_id(options.user))
        throw config_error{"--user " + options.user + " is not a Clerk user's id (user_...)"};
    return reconcile_run{config, access, options}.run(config);
}

}

subcommand add_reconcile(CLI::App& app)
{
    auto const options = std::make_shared<reconcile_options>();
    auto* const command = app.add_subcommand("reconcile", "Compare Strapi's users with Clerk's, and repair the drift");
    command->footer(footer);
    auto* const repair = command->add_flag("--repair", options->repair, "Publish records that repair the drift");
    command
        ->add_option(
            "--delete", options->deletions, "With --repair: delete the extra users if there are exactly this many")
        ->needs(repair);
    command->add_option("--user", options->user, "Only this Clerk user");
    command
        ->add_option("--settle", options->settle_seconds, "Ignore differences for users changed in the last N seconds")
        ->capture_default_str()
        ->check(CLI::Range(0, settle_seconds_max));
    command->add_option("--rate", options->rate, "Requests per second (default 20; 5 with a development key)")
        ->check(CLI::Range(0.01, rate_max));
    command->add_option(
        "--instance", options->instance, "The Clerk instance (ins_...) that CLERK_SECRET_KEY must belong to");
    command->add_flag("--json", options->json, "Print one JSON object per line, the summary last");
    return {command, [options](config_source& source) { return reconcile(source, *options); }};
}

}
