// The worker's story on fakes: what is applied, parked or kept in hand, and when offsets move.

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
    std::optional<std::string> name_of(char const* id) const { return store.state_of(id).wishes.full_name; }
    event_record bad() { return records.make_raw("user_bad", "hello"); }
};

}

TEST_CASE_FIXTURE(worker_fixture, "a batch is applied in one go, and then its offsets move [I7]")
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

TEST_CASE_FIXTURE(worker_fixture, "database away: the offset waits, and nothing is lost when it returns [I7 I9]")
{
    take({records.make("user_1", 1), records.make("user_1", 2)});
    store.fail_next(2);
    CHECK(step() == pause_cause::database);
    CHECK(step() == pause_cause::database);
    CHECK(source.committed() == 0);
    CHECK(dead.parked().empty());
    CHECK(step() == pause_cause::none);
    CHECK(name_of("user_1") == "Name 2");
    CHECK(source.committed() == 2);
}

TEST_CASE_FIXTURE(worker_fixture, "a systemic database error parks nothing and says its cause [I1]")
{
    take({records.make("user_1", 1)});
    store.fail_next(50, apply_status::mismatched);
    for (auto i = 0; i < 50; ++i)
        CHECK(step() == pause_cause::schema);
    CHECK(dead.parked().empty());
    CHECK(step() == pause_cause::none);
    CHECK(name_of("user_1") == "Name 1");
}

TEST_CASE_FIXTURE(worker_fixture, "a poison record is parked alone, in its place, and delays only itself [I8]")
{
    std::vector<event_record> taken;
    for (auto i = 0; i < 100; ++i)
        taken.push_back(records.make(i == 37 ? "user_poison" : "user_" + std::to_string(i), 1));
    store.refuse("user_poison");
    take(std::move(taken));
    CHECK(step() == pause_cause::none);
    REQUIRE(dead.parked().size() == 1);
    CHECK(dead.parked()[0] == std::pair<std::int64_t, std::string>{37, "refused_by_database"});
    for (auto i = 0; i < 100; ++i) {
        if (i != 37) CHECK(name_of(("user_" + std::to_string(i)).c_str()) == "Name 1");
    }
    CHECK(source.committed() == 100);
    CHECK(store.position() == 100);
}

TEST_CASE_FIXTURE(worker_fixture, "unreadable records are parked with their reason, the others applied [I8]")
{
    take({bad(), records.make("user_1", 1), records.make_raw("user_2", "[]"), records.make("user_1", 2), bad()});
    CHECK(step() == pause_cause::none);
    REQUIRE(dead.parked().size() == 3);
    CHECK(dead.parked()[0] == std::pair<std::int64_t, std::string>{0, "not_json"});
    CHECK(dead.parked()[1] == std::pair<std::int64_t, std::string>{2, "not_an_object"});
    CHECK(dead.parked()[2] == std::pair<std::int64_t, std::string>{4, "not_json"});
    CHECK(name_of("user_1") == "Name 2");
    CHECK(source.committed() == 5);
}

TEST_CASE_FIXTURE(worker_fixture, "dead letters away: the partition waits, the offset too, and goes on later [D12 I7]")
{
    take({records.make("user_1", 1), bad(), records.make("user_1", 2)});
    dead.cork();
    CHECK(step() == pause_cause::dead_letters);
    CHECK(step() == pause_cause::dead_letters);
    CHECK(source.committed() == 1);
    CHECK(name_of("user_1") == "Name 1");
    dead.uncork();
    CHECK(step() == pause_cause::none);
    CHECK(dead.parked().size() == 1);
    CHECK(name_of("user_1") == "Name 2");
    CHECK(source.committed() == 3);
}

TEST_CASE_FIXTURE(worker_fixture, "five parks for one reason without a success between pause; nothing is lost")
{
    std::vector<event_record> taken;
    for (auto i = 0; i < 12; ++i)
        taken.push_back(bad());
    taken.push_back(records.make("user_1", 1));
    take(std::move(taken));
    CHECK(step() == pause_cause::poison_storm);
    CHECK(dead.parked().size() == 5);
    CHECK(step() == pause_cause::poison_storm);
    CHECK(dead.parked().size() == 10);
    CHECK(step() == pause_cause::none);
    CHECK(dead.parked().size() == 12);
    CHECK(name_of("user_1") == "Name 1");
    CHECK(source.committed() == 13);
}

TEST_CASE_FIXTURE(worker_fixture, "a storm at the end of a batch pauses after its offsets moved")
{
    take({bad(), bad(), bad(), bad(), bad()});
    CHECK(step() == pause_cause::poison_storm);
    CHECK(source.committed() == 5);
    CHECK(batch.empty());
}

TEST_CASE_FIXTURE(worker_fixture, "poison between good records is no storm [I8]")
{
    std::vector<event_record> taken;
    for (auto i = 0; i < 50; ++i) {
        taken.push_back(bad());
        taken.push_back(records.make("user_1", i));
    }
    take(std::move(taken));
    CHECK(step() == pause_cause::none);
    CHECK(dead.parked().size() == 50);
}

TEST_CASE_FIXTURE(worker_fixture, "every value refused: the site is at fault, so parking pauses [I1]")
{
    std::vector<event_record> taken;
    for (auto i = 0; i < 8; ++i) {
        taken.push_back(records.make("user_" + std::to_string(i), 1));
        store.refuse("user_" + std::to_string(i));
    }
    take(std::move(taken));
    CHECK(step() == pause_cause::poison_storm);
    CHECK(dead.parked().size() == 5);
    for (auto i = 0; i < 8; ++i)
        store.accept("user_" + std::to_string(i));
    CHECK(step() == pause_cause::none);
    CHECK(dead.parked().size() == 5);
    CHECK(name_of("user_7") == "Name 1");
}

TEST_CASE_FIXTURE(worker_fixture, "partitions taken away: what is in hand is void")
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

TEST_CASE_FIXTURE(worker_fixture, "a retried batch is counted once")
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
