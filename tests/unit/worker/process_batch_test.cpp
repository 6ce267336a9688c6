// process_batch on fakes: what is applied, dead-lettered or kept, and when offsets are committed.

#include "tests/support/worker_fakes.hpp"
#include "worker/process_batch.hpp"

#include <doctest/doctest.h>

using namespace clerk_strapi;
using namespace clerk_strapi::worker;
using namespace clerk_strapi::tests;

namespace
{

struct worker_fixture
{
    fake_source source;
    fake_store store;
    fake_dead_letters dead;
    metrics counters;
    record_maker records;
    batch_processor batch{source, store, dead, counters, {}};

    void take(std::vector<event_record> taken) { batch.take(std::move(taken)); }
    pause_cause step() { return batch.process().cause; }
    std::optional<std::string> name_of(char const* id) const { return store.state_of(id).desired.full_name; }
    event_record bad() { return records.make_raw("user_bad", "hello"); }
};

}

TEST_CASE_FIXTURE(worker_fixture, "batch: is applied in one transaction, and then its offsets are committed [I7]")
{
    take({records.make("user_1", 1), records.make("user_2", 1), records.make("user_1", 2),
        records.make("user_3", 1, 7)});
    CHECK(step() == pause_cause::none);
    CHECK(store.calls() == 1);
    CHECK(name_of("user_1") == "Name 2");
    CHECK(store.position(0) == 3);
    CHECK(store.position(7) == 1);
    CHECK(source.committed(0) == 3);
    CHECK(source.committed(7) == 1);
    CHECK(batch.empty());
}

TEST_CASE_FIXTURE(worker_fixture, "batch: keeps the offset during a database outage and loses nothing after it [I7 I9]")
{
    take({records.make("user_1", 1), records.make("user_1", 2)});
    store.fail_next(2);
    CHECK(step() == pause_cause::database);
    CHECK(step() == pause_cause::database);
    CHECK(source.committed() == 0);
    CHECK(dead.published().empty());
    CHECK(step() == pause_cause::none);
    CHECK(name_of("user_1") == "Name 2");
    CHECK(source.committed() == 2);
}

TEST_CASE_FIXTURE(worker_fixture, "batch: dead-letters nothing on a systemic database error, and names the cause [I1]")
{
    take({records.make("user_1", 1)});
    store.fail_next(50, apply_status::mismatched);
    for (auto i = 0; i < 50; ++i)
        CHECK(step() == pause_cause::schema);
    CHECK(dead.published().empty());
    CHECK(step() == pause_cause::none);
    CHECK(name_of("user_1") == "Name 1");
}

TEST_CASE_FIXTURE(worker_fixture, "batch: dead-letters a poison record alone, in order, and delays only it [I8]")
{
    std::vector<event_record> taken;
    for (auto i = 0; i < 100; ++i)
        taken.push_back(records.make(i == 37 ? "user_poison" : "user_" + std::to_string(i), 1));
    store.refuse("user_poison");
    take(std::move(taken));
    CHECK(step() == pause_cause::none);
    REQUIRE(dead.published().size() == 1);
    CHECK(dead.published()[0] == std::pair<std::int64_t, std::string>{37, "refused_by_database"});
    for (auto i = 0; i < 100; ++i) {
        if (i != 37) CHECK(name_of(("user_" + std::to_string(i)).c_str()) == "Name 1");
    }
    CHECK(source.committed() == 100);
    CHECK(store.position() == 100);
}

TEST_CASE_FIXTURE(worker_fixture, "batch: dead-letters unreadable records with their reason, applies the others [I8]")
{
    take({bad(), records.make("user_1", 1), records.make_raw("user_2", "[]"), records.make("user_1", 2), bad()});
    CHECK(step() == pause_cause::none);
    REQUIRE(dead.published().size() == 3);
    CHECK(dead.published()[0] == std::pair<std::int64_t, std::string>{0, "not_json"});
    CHECK(dead.published()[1] == std::pair<std::int64_t, std::string>{2, "not_an_object"});
    CHECK(dead.published()[2] == std::pair<std::int64_t, std::string>{4, "not_json"});
    CHECK(name_of("user_1") == "Name 2");
    CHECK(source.committed() == 5);
}

TEST_CASE_FIXTURE(worker_fixture, "batch: keeps the offset while the dead-letter topic is unavailable [D12 I7]")
{
    take({records.make("user_1", 1), bad(), records.make("user_1", 2)});
    dead.cork();
    CHECK(step() == pause_cause::dead_letters);
    CHECK(step() == pause_cause::dead_letters);
    CHECK(source.committed() == 1);
    CHECK(name_of("user_1") == "Name 1");
    dead.uncork();
    CHECK(step() == pause_cause::none);
    CHECK(dead.published().size() == 1);
    CHECK(name_of("user_1") == "Name 2");
    CHECK(source.committed() == 3);
}

TEST_CASE_FIXTURE(worker_fixture, "batch: pauses after five dead letters for one reason in a row; loses nothing")
{
    std::vector<event_record> taken;
    for (auto i = 0; i < 12; ++i)
        taken.push_back(bad());
    taken.push_back(records.make("user_1", 1));
    take(std::move(taken));
    CHECK(step() == pause_cause::poison_storm);
    CHECK(dead.published().size() == 5);
    CHECK(step() == pause_cause::poison_storm);
    CHECK(dead.published().size() == 10);
    CHECK(step() == pause_cause::none);
    CHECK(dead.published().size() == 12);
    CHECK(name_of("user_1") == "Name 1");
    CHECK(source.committed() == 13);
}

TEST_CASE_FIXTURE(worker_fixture, "batch: a poison storm at its end pauses after its offsets are committed")
{
    take({bad(), bad(), bad(), bad(), bad()});
    CHECK(step() == pause_cause::poison_storm);
    CHECK(source.committed() == 5);
    CHECK(batch.empty());
}

TEST_CASE_FIXTURE(worker_fixture, "batch: poison records between good ones are no storm [I8]")
{
    std::vector<event_record> taken;
    for (auto i = 0; i < 50; ++i) {
        taken.push_back(bad());
        taken.push_back(records.make("user_1", i));
    }
    take(std::move(taken));
    CHECK(step() == pause_cause::none);
    CHECK(dead.published().size() == 50);
}

TEST_CASE_FIXTURE(
    worker_fixture, "batch: pauses when the database refuses every value, because the site is at fault [I1]")
{
    std::vector<event_record> taken;
    for (auto i = 0; i < 8; ++i) {
        taken.push_back(records.make("user_" + std::to_string(i), 1));
        store.refuse("user_" + std::to_string(i));
    }
    take(std::move(taken));
    CHECK(step() == pause_cause::poison_storm);
    CHECK(dead.published().size() == 5);
    for (auto i = 0; i < 8; ++i)
        store.accept("user_" + std::to_string(i));
    CHECK(step() == pause_cause::none);
    CHECK(dead.published().size() == 5);
    CHECK(name_of("user_7") == "Name 1");
}

TEST_CASE_FIXTURE(worker_fixture, "batch: is void when its partitions are revoked")
{
    take({records.make("user_1", 1)});
    store.fail_next(1);
    CHECK(step() == pause_cause::database);
    batch.drop();
    CHECK(batch.empty());
    CHECK(step() == pause_cause::none);
    CHECK(store.state_of("user_1").known == user_state::presence::absent);
    CHECK(source.committed() == 0);
}

TEST_CASE_FIXTURE(worker_fixture, "batch: is counted once when it is retried")
{
    take({records.make("user_1", 1)});
    store.fail_next(3);
    while (step() != pause_cause::none) {}
    auto total = 0.0;
    for (auto const& family : counters.registry()->Collect()) {
        if (family.name != "clerk_worker_events_total") continue;
        for (auto const& series : family.metric)
            total += series.counter.value;
    }
    CHECK(total == 1);
}
