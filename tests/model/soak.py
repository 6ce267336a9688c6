"""Runs random sets through the worker's store on a PostgreSQL of TEST_DATABASE_URL, and compares every row with the
model. The command is tests/model/soak, which starts a PostgreSQL when none is given.
"""
import argparse
import itertools
import json
import multiprocessing
import os
import re
import secrets
import subprocess
import sys
import time
import traceback

import model
from checker import Checker
from random_sets import FEATURES, RandomSet, chance_of, edit_sql, environment_of
from site_dump import Site, tables_of

SETS_IN_A_CHUNK = 1000  # part of what a seed means
BATCH_RECORDS = 500
PARTITIONS = 12
PROGRAM = os.path.join(os.environ.get("TEST_BUILD_DIR", "build/release"), "bin", "apply-sets")


class Store:
    """The worker's store in a process of its own, with a database of its own."""

    def __init__(self, environment):
        passed = {name: os.environ[name] for name in ("PATH", "TEST_DATABASE_URL", "TZ") if name in os.environ}
        self.process = subprocess.Popen(
            [PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env=passed | environment | {"DATABASE_URL": os.environ["TEST_DATABASE_URL"],
                                        "STRAPI_PROFILE_CONTENT_TYPES": "user-profile,member-profile"})

    def ask(self, **command):
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError(f"{PROGRAM} ended with {self.process.wait()}")
        return json.loads(answer)

    def end(self):
        self.process.stdin.close()
        if self.process.wait() != 0:
            raise RuntimeError(f"{PROGRAM} ended with {self.process.returncode}")


def run_sets(sets, environment, chance):
    """Applies the sets round by round, interleaved. Returns the checker after its run."""
    config = model.Config.of(environment)
    tables = tables_of(config.profile_types)
    store = Store(environment)
    store.ask(sql="insert into up_roles (document_id, name, type) values ('reditor', 'Editor', 'editor')")
    if sql := "; ".join(statement for one in sets for statement in one.sql):
        store.ask(sql=sql)
    initial = store.ask(dump=tables)["rows"]
    records, edits, step = [], [], 0
    for at in range(max(one.rounds for one in sets)):
        queues = [[record for record in one.records if record["round"] == at] for one in sets]
        for batch in batches(queues, bool(environment.get("AT_ONCE")), chance):
            step += 1
            batch = [dict(record, step=step) for record in batch]
            apply_batch(store, batch, len(records), bool(environment.get("AT_ONCE")))
            records += batch
        now = [dict(edit, step=step) for one in sets for edit in one.edits if edit["round"] == at]
        if now:
            store.ask(sql="; ".join(edit_sql(edit) for edit in now))
        edits += now
    dump = store.ask(dump=tables)["rows"]
    store.end()
    checker = Checker(records, dump, initial, edits, config)
    checker.run()
    return checker


def batches(queues, at_once, chance):
    """Large ones of all sets; for two stores small ones of few sets: large ones always conflict somewhere, and then the
    second transaction restarts after the first, which hides the effect of running at the same time."""
    if not at_once:
        coming = interleaved(queues, chance)
        return [coming[begin:begin + BATCH_RECORDS] for begin in range(0, len(coming), BATCH_RECORDS)]
    small = [interleaved(queues[begin:begin + 3], chance) for begin in range(0, len(queues), 3)]
    return [batch for batch in small if batch]


def apply_batch(store, batch, first, at_once):
    """One transaction, or two at the same time: those have no order, so their outcomes are not compared."""
    for number, record in enumerate(batch, start=first):
        record.update(topic="clerk.user-events", partition=number % PARTITIONS, offset=number // PARTITIONS)
    if not at_once:
        for record, outcome in zip(batch, store.ask(records=batch)["outcomes"]):
            record["outcome"] = outcome
        return
    halves = [[record for record in batch if record["partition"] % 2 == half] for half in (0, 1)]
    answer = store.ask(records=halves[0], beside=halves[1])
    for record, outcome in zip(halves[0] + halves[1], answer["outcomes"] + answer["beside"]):
        record.update(outcome=outcome, store=record["partition"] % 2)


def interleaved(queues, chance):
    """One queue of all, each queue in its own order."""
    turns = [number for number, queue in enumerate(queues) for _ in queue]
    chance.shuffle(turns)
    heads = [iter(queue) for queue in queues]
    return [next(heads[number]) for number in turns]


# --- the two kinds of chunks

def random_chunk(options, chunk, size):
    chance = chance_of(options.seed, "chunk", chunk)
    environment = environment_of(chance, options.without)
    without = options.without
    if options.at_once or "two-at-once" not in without and chance.random() < 0.1:
        environment["AT_ONCE"] = "2"  # ours, shown with a failure; the worker has no such variable
        without += ("user-provisioning",)  # the first of several wins, and it is unknown which that is
    first = chunk * SETS_IN_A_CHUNK
    sets = [RandomSet(number, chance_of(options.seed, "set", number), without)
        for number in range(first, first + size)]
    return sets, environment, chance


def orders_chunk(options, number):
    """All orders of one small set: each order in a namespace of its own, one event per transaction."""
    chance = chance_of(options.seed, "orders", number)
    environment = environment_of(chance, options.without)
    seed = chance.random()
    calm = tuple(options.without) + ("edits", "links", "poison")
    whole = RandomSet(0, chance_of(seed), calm, events_max=5, rounds_max=1)
    sets = []
    for place_in_line, order in enumerate(itertools.permutations(range(min(5, len(whole.records))))):
        copy = RandomSet(place_in_line, chance_of(seed), calm, events_max=5, rounds_max=1)
        copy.records = [dict(copy.records[i], round=at) for at, i in enumerate(order)]
        copy.rounds = len(order)
        sets.append(copy)
    return sets, environment, chance


def unequal_orders(checker, sets):
    """Rows of all copies, without the namespace and generated values, must be equal."""
    seens = [record for record in sets[0].records if record["headers"]["ce_type"] == "clerk.user.seen"]
    versions = {event.version for clerk_id in sets[0].users for _, event in checker.events[clerk_id]}
    bodies_decide = len({version[:-1] for version in versions}) < len(versions)  # the bodies contain the namespace
    history_counts = checker.config.delete_policy == "block" or sets[0].sql or len(seens) > 1
    if history_counts or bodies_decide:  # README.md: where rows are no function of the set of events; each copy was checked by itself
        return
    forms = {}
    for one in sets:
        users = [row for clerk_id in one.users for row in checker.after.by_clerk_id[clerk_id]]
        shown = [[{name: row[name] for name in ("clerk_id", "email", "username", "full_name", "blocked", "created_at")},
                 checker.after.roles[row["id"]],
                 [found[row["id"]][0]["name"] for found in checker.after.profiles.values() if found[row["id"]]]]
                 for row in users]
        text = re.sub(r'"[A-Z][a-z]+[A-Z][a-z]+[0-9]{4}"', '"generated"', json.dumps(shown))
        forms.setdefault(text.replace(one.name, "PREFIX"), one.name)
    if len(forms) > 1:
        for form, name in list(forms.items())[:2]:
            checker.faults.append((f"user_{name}", f"orders: copy {name} ends as {form}"))


# --- running and reporting

def run_chunk(work):
    options, chunk, size = work
    if options.orders:
        sets, environment, chance = orders_chunk(options, chunk)
    else:
        sets, environment, chance = random_chunk(options, chunk, size)
    checker = run_sets(sets, environment, chance)
    if options.orders:
        unequal_orders(checker, sets)
    return chunk, environment, checker.counts, faults_by_set(checker, sets), [
        vars_of(one, checker) for one in sets if any(one.name in str(id) + text for id, text in checker.faults)][:3]


def faults_by_set(checker, sets):
    names = [one.name for one in sets]
    found = {}
    for clerk_id, text in checker.faults:
        name = next((name for name in re.findall(r"s[0-9a-z]{5}", f"{clerk_id} {text}") if name in names), "all")
        found.setdefault(name, []).append(text)
    return found


def vars_of(one, checker):
    return {"set": one.name, "before": one.sql,
            "edits": [edit for edit in checker.edits if one.name in edit.get("clerk_id", "")],
            "records": [record for record in checker.records if one.name in (record["key"] or "") + record["value"]]}


def arguments():
    parser = argparse.ArgumentParser(prog="soak",
        description="Random sets of users' events through the worker's store, compared with the model.")
    parser.add_argument("--seed", default=None, help="of everything that is random (default: a fresh one, printed)")
    parser.add_argument("--sets", type=int, default=500,
        help="how many (default 500); with --orders: how many small sets")
    parser.add_argument("--chunk", type=int, default=None,
        help=f"only this chunk (of {SETS_IN_A_CHUNK} sets), as a failure names it")
    parser.add_argument("--orders", action="store_true", help="all orders of small sets instead")
    parser.add_argument("--at-once", action="store_true", help="every chunk by two stores at once, not one in ten")
    parser.add_argument("--without", default="nothing", metavar="A,B",
                        help=f"leave out: {', '.join(FEATURES)}, or nothing (the default)")
    parser.add_argument("--keep", metavar="FILE", help="write the first failing sets there, as JSON lines")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    options.without = tuple(name for name in options.without.split(",") if name not in ("", "nothing"))
    if unknown := set(options.without) - set(FEATURES):
        parser.error(f"--without does not know {', '.join(sorted(unknown))}")
    options.seed = options.seed or os.environ.get("SEED") or secrets.token_hex(4)
    return options


def works(options):
    if options.orders:
        return [(options, number, 0) for number in range(options.sets)]
    sizes = [min(SETS_IN_A_CHUNK, options.sets - first) for first in range(0, options.sets, SETS_IN_A_CHUNK)]
    return [(options, chunk, size) for chunk, size in enumerate(sizes)]


def main():
    options = arguments()
    print(f"seed {options.seed}", flush=True)
    begin, failing, users, records, at_once = time.monotonic(), 0, 0, 0, 0
    todo = [work for work in works(options) if options.chunk in (None, work[1])]
    with multiprocessing.Pool(min(options.jobs, len(todo))) as pool:
        for chunk, environment, counts, faults, kept in pool.imap_unordered(run_chunk, todo):
            users += counts["applied"]
            at_once += "AT_ONCE" in environment
            records += counts["applied"] + counts["superseded"] + counts["parked"]
            failing += len(faults)
            for name, texts in list(faults.items())[:5]:
                print(f"FAILED chunk {chunk} ({environment}) set {name}:")
                for text in texts[:6]:
                    print(f"  {text}")
            if kept and options.keep:
                with open(options.keep, "a", encoding="utf-8") as file:
                    file.writelines(json.dumps(dict(one, environment=environment)) + "\n" for one in kept)
    seconds = time.monotonic() - begin
    what = "small sets in all orders" if options.orders else "sets"
    ran = len(todo) if options.orders else sum(work[2] for work in todo)
    print(f"{ran} {what}, {users} users, {records} records in {seconds:.0f} s, {at_once} of {len(todo)} chunks by two "
          f"stores at once; {failing} sets differ")
    if failing:
        modes = (" --orders" if options.orders else "") + (" --at-once" if options.at_once else "")
        print(f"again: tests/model/soak --seed {options.seed} --sets {options.sets}{modes} "
              f"--without {','.join(options.without) or 'nothing'} --chunk N")
    return 1 if failing else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Exception:  # 1 means that sets differ, and nothing else
        traceback.print_exc()
        sys.exit(2)
