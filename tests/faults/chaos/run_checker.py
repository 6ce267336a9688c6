#!/usr/bin/env python3
"""Checks one chaos run: reads its history, the topics and the tables, and shares no code with the worker.

    run_checker.py FOLDER [--lose-record] [--report FILE]

Prints a row for each property with the number of checks, and `N passed, N failed`; exit 1 when one failed.
--lose-record removes one acknowledged record of a topic first: a checker that then finds no violation is broken.
"""
import argparse
import hashlib
import json
import pathlib
import subprocess
import sys
from collections import Counter, defaultdict
from dataclasses import replace
from datetime import date

here = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(here.parents[1] / "model"))

import checker  # noqa: E402
import model  # noqa: E402
import records as decoding  # noqa: E402

INSTANCE = "ins_2endtoendtests"
STALE_MS = 35_000  # VERIFY_STALE_MS, plus the time of a look and of a request
STOP_MS = 12_000  # nine seconds by contract, plus three for a machine that is short of processors
MEMORY_KIB = {"ingest": 128 * 1024, "worker": 192 * 1024}
DESCRIPTORS, THREADS = 2048 + 256, 64  # ingest takes 2048 connections
CLOCK_MS = 1000  # between our observation and the record's own time: one machine, several threads
SHOWN = 5

PROPERTIES = {
    "P1": "a 2xx is newer than its record",
    "P2": "every 2xx is in its topic, and offsets have no gaps",
    "P3": "each user's rows equal the model's",
    "P4": "versions never decrease, tombstones stay",
    "P5": "one row, one role link, one profile of each type, all or none",
    "P6": "no position ahead of its effect",
    "P7": "each record is applied, superseded or parked; forged and ignored ones leave no trace",
    "P8": "verify accepts good tokens and rejects bad ones",
    "P9": "everything drains and recovers; nothing crashed, hung or grew",
    "P10": "rows and columns that are not ours are untouched",
}


class Run:
    """What one run left."""

    def __init__(self, history, records, initial, after, settings):
        self.history = history
        self.records = records
        self.initial = initial
        self.after = after
        self.settings = settings
        self.topics = settings["topics"]
        self.dead_letters = [one for one in records if one["topic"] == self.topics["TOPIC_DEAD_LETTERS"]]
        self.published = [one for one in records if one["topic"] != self.topics["TOPIC_DEAD_LETTERS"]]

    @staticmethod
    def read(folder):
        folder = pathlib.Path(folder)

        def load(name):
            return json.loads((folder / name).read_text())
        records = [checker.read_record(one) for one in checker.lines_of(folder / "records.jsonl")]
        return Run(checker.lines_of(folder / "history.jsonl"), records, load("initial.json"), load("after.json"),
                   load("settings.json"))

    def of(self, *what):
        return (line for line in self.history if line["what"] in what)


def place_of(record):
    return record["topic"], record["partition"], record["offset"]


def parked_place(dead_letter):
    headers = dead_letter["headers"]
    if headers.get("dlq_topic") == "webhook":
        return None  # ingest dead-lettered it: it never was in a topic
    return headers["dlq_topic"], int(headers["dlq_partition"]), int(headers["dlq_offset"])


class RunChecker:
    def __init__(self, run):
        self.run = run
        self.config = replace(model.Config.of(run.settings["rules"]), instances=(INSTANCE,))
        self.looked = Counter()
        self.faults = defaultdict(list)
        self.by_message = defaultdict(list)  # of the published records
        for record in run.published:
            self.by_message[record["headers"].get("ce_id")].append(record)
        self.dead_letter_of = {}  # the first of each: a worker that dies before its position moved dead-letters a record again
        for one in sorted(run.dead_letters, key=lambda dead_letter: dead_letter["timestamp"]):
            self.dead_letter_of.setdefault(parked_place(one), one)

    def expect(self, name, good, text):
        self.looked[name] += 1
        if not good:
            self.faults[name].append(text)

    def check(self):
        self.acknowledged()
        self.log()
        self.rows()
        self.looks()
        self.leftovers()
        self.verified()
        self.liveness()
        return self.faults

    # --- what senders were promised

    def acknowledged(self):
        messages = {line["id"]: line for line in self.run.of("message")}
        foreign = defaultdict(list)
        for one in self.run.dead_letters:
            if parked_place(one) is None:
                foreign[one["headers"].get("ce_id")].append(one)
        for line in self.run.of("ok"):
            message = messages[line["id"]]
            if message["kind"] == "forged":
                self.expect("P7", False, f"{line['id']} is forged and was answered {line['status']}")
            if message["kind"] in ("event", "foreign"):
                found = self.by_message[line["id"]] if message["kind"] == "event" else foreign[line["id"]]
                self.acknowledgement(line, message, found)

    def acknowledgement(self, line, message, found):
        same = [one for one in found if hashlib.sha256(one["value"]).hexdigest() == message["hash"]]
        self.expect("P2", same, f"lost write: {line['id']} was answered {line['status']} and is not in the topic")
        if same:
            written = min(one["timestamp"] for one in same)
            self.expect("P1", written <= line["at"] + CLOCK_MS,
                        f"{line['id']} was answered at {line['at']} and written {written - line['at']} ms later")

    def log(self):
        offsets = defaultdict(list)
        for record in self.run.records:
            offsets[record["topic"], record["partition"]].append(record["offset"])
        for place, seen in offsets.items():
            self.expect("P2", sorted(seen) == list(range(len(seen))), f"the offsets of {place} have gaps or copies")

    # --- rows

    def rows(self):
        known = self.run.published + [one for one in self.run.dead_letters if parked_place(one) is not None]
        one = checker.Checker(known, self.run.after, self.run.initial, (), self.config)
        for clerk_id, text in one.run():
            if " created_at: " in text and self.was_provisioned(one.events[clerk_id]):
                continue
            self.faults[self.property_of(str(clerk_id), text)].append(text)
        self.looked["P3"] += len(one.followed)
        self.looked["P7"] += len(self.run.published)
        self.looked["P10"] += len(self.run.initial["up_users"])
        self.counts = one.counts

    @staticmethod
    def was_provisioned(events):
        """A token does not contain the user's creation time: a row provisioned from one has the time of provisioning."""
        return "seen" in {event.kind for _, event in events}

    @staticmethod
    def property_of(clerk_id, text):
        if " record (" in text:
            return "P7"
        if "next offset" in text:
            return "P6"
        return "P10" if clerk_id.startswith("local user") else "P3"

    def leftovers(self):
        """What must not exist: published forged or ignored webhooks, and dead letters without a record."""
        for message in self.run.of("message"):
            if message["kind"] in ("forged", "ignored", "foreign"):
                self.expect("P7", not self.by_message[message["id"]], f"{message['kind']} {message['id']} was published")
        by_place = {place_of(one): one for one in self.run.published}
        for place, record in by_place.items():
            if self.decode(record) is None:
                self.expect("P7", place in self.dead_letter_of, f"{place} can never be applied, and was not parked")
        for dead_letter in self.run.dead_letters:
            place = parked_place(dead_letter)
            if place is not None:
                record = by_place.get(place)
                self.expect("P7", record is not None and record["value"] == dead_letter["value"],
                            f"the dead letter at {place_of(dead_letter)} is not about the record at {place}")

    # --- what the watch observed meanwhile

    def looks(self):
        states, positions, pending = {}, Counter(), []
        self.decoded = {place_of(one): (one, self.decode(one)) for one in self.run.published}
        count = 0
        for line in self.run.of("look", "committed"):
            if line["what"] == "committed":
                pending.append(line)
                continue
            count += 1
            self.look(line, states)
            claims = [(name, value, "stored") for name, value in line["next"].items()]
            early = [one for one in pending if one["at"] <= line["began"]]
            pending = [one for one in pending if one["at"] > line["began"]]
            claims += [(f"{one['topic']} {partition}", value, "committed") for one in early
                       for partition, value in one["committed"].items()]
            for name, value, which in claims:
                topic, partition = name.rsplit(" ", 1)
                self.position((topic, int(partition)), value, which, positions, states, line)
        self.expect("P4", count >= 5, f"only {count} looks: the watch failed")

    def look(self, line, states):
        for clerk_id in line["gone"]:
            self.expect("P4", False, f"the state of {clerk_id} vanished")
            states.pop(clerk_id, None)
        for clerk_id, now in line["changed"].items():
            before = states.get(clerk_id)
            if before:
                self.expect("P4", not before[0] or now[0], f"{clerk_id} exists again: {before} then {now}")
                self.expect("P4", now[0] or tuple(now[1:5]) >= tuple(before[1:5]),
                            f"the version of {clerk_id} went back: {before} then {now}")
            states[clerk_id] = now
            tombstone, rows, links = now[0], now[5], now[6:]
            # A tombstone's row is missing, or stays emptied; a present user has one of each.
            good = rows in (0, 1) and all(link <= rows for link in links) if tombstone else rows == 1 and set(links) == {1}
            self.expect("P5", good, f"{clerk_id}, tombstone {tombstone}: {rows} rows, role link and profiles {links}")

    def decode(self, record):
        try:
            return decoding.decode_record(record, self.config)
        except decoding.Parked:
            return None

    def position(self, partition, value, which, positions, states, line):
        for offset in range(positions[partition], value):
            record, event = self.decoded.get((*partition, offset), (None, None))
            if record is None:
                self.expect("P6", False, f"{which} {partition} {value}: there is no record {offset}")
            elif event is None:
                dead_letter = self.dead_letter_of.get((*partition, offset))
                self.expect("P6", dead_letter is not None and dead_letter["timestamp"] <= line["at"] + CLOCK_MS,
                            f"{which} {partition} {value}: {offset} was not parked by then")
            else:
                self.expect("P6", self.has_effect(event, states.get(event.clerk_id)),
                            f"{which} {partition} {value}: {offset} of {event.clerk_id} had no effect by then")
        positions[partition] = max(positions[partition], value)

    @staticmethod
    def has_effect(event, state):
        if state is None or state[0]:
            return state is not None
        if event.kind == "deleted":
            return False
        return (*state[1:4], bytes.fromhex(state[4])) >= event.version

    # --- accepted tokens

    def verified(self):
        tombstones = {}
        for line in self.run.of("look"):
            for clerk_id, state in line["changed"].items():
                if state[0]:
                    tombstones.setdefault(clerk_id, line["at"])
        begun = {line["id"]: line["at"] for line in self.run.of("verify")}
        for line in self.run.of("verified"):
            status, user = line.get("status"), line["user"]
            if status is None:
                continue  # no response is no violation
            if line["kind"] in ("forged", "expired", "unsigned"):
                self.expect("P8", status == 401, f"a token that is {line['kind']} was answered {status}")
                continue
            self.expect("P8", status in (200, 403, 503), f"a good token was answered {status}")
            if status == 200 and line["kind"] == "good":
                self.expect("P8", line["clerkId"] == user, f"{user}'s token was answered with {line['clerkId']}")
                gone = tombstones.get(user, float("inf"))
                self.expect("P8", begun[line["id"]] < gone + STALE_MS, f"{user} was accepted long after the deletion")

    # --- at the end

    def liveness(self):
        quiet = list(self.run.of("quiet"))
        stuck = [line["why"] for line in self.run.of("stuck")]
        self.expect("P9", quiet, f"not quiet: {'; '.join(stuck) or 'the run ended before'}")
        for line in self.run.of("crashed"):
            self.expect("P9", False, f"{line['kind']} ended by itself: {line['code']} {line['signal']} {line['program']}")
        stood_still = [(line["at"], line["ms"]) for line in self.run.of("stood-still")]
        for line in self.run.of("stopped"):
            # A pause of the whole machine delays the programs too, and their work queues up.
            excused = 2 * sum(ms for at, ms in stood_still if line["at"] - line["ms"] <= at <= line["at"])
            self.expect("P9", line.get("code") == 0 and line["ms"] <= STOP_MS + excused,
                        f"{line['kind']} ended {line['ms']} ms after SIGTERM with {line.get('code')}: {line['program']}")
        for line in self.run.of("resources"):
            good = line["kib"] <= MEMORY_KIB[line["kind"]] and line["descriptors"] <= DESCRIPTORS and line["threads"] <= THREADS
            self.expect("P9", good, f"{line['kind']} has {line['kib']} KiB, {line['descriptors']} descriptors, "
                        f"{line['threads']} threads")
        for line in self.run.of("info"):
            if line.get("status") == 503:
                self.expect("P9", line.get("retryAfter"), f"{line['id']}: a 503 without Retry-After")


def lose_one_record(run):
    """Removes an acknowledged record from its topic, as brokers would that lost it."""
    acknowledged = {line["id"] for line in run.of("ok")}
    ids = Counter(record["headers"].get("ce_id") for record in run.published)
    lost = max((one for one in run.published if one["headers"].get("ce_id") in acknowledged and
                ids[one["headers"]["ce_id"]] == 1), key=lambda one: one["timestamp"])
    run.records.remove(lost)
    run.published.remove(lost)
    print(f"removed {place_of(lost)}, {lost['headers']['ce_id']}")


def add_to_report(file, run, checked, failed):
    commit = subprocess.run(["git", "-C", str(here), "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True,
                            check=False).stdout.strip() or "unknown"
    faults = Counter(line["name"] for line in run.of("fault"))
    settings = run.settings
    quiet = next((str(line["ms"]) for line in run.of("quiet")), "never")
    result = "none" if not failed else ", ".join(f"{name}: {len(checked.faults[name])}" for name in failed)
    with open(file, "a", encoding="utf-8") as report:
        report.write(f"| {date.today()} | {commit} | {settings['seed']} | {settings['minutes']} "
                     f"| {sum(1 for _ in run.of('message'))} | {len(run.published)} | {sum(faults.values())} of {len(faults)} kinds "
                     f"| {quiet} | {result} |\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--lose-record", action="store_true")
    parser.add_argument("--report")
    given = parser.parse_args()
    run = Run.read(given.folder)
    if given.lose_record:
        lose_one_record(run)
    checked = RunChecker(run)
    checked.check()
    failed = [name for name in PROPERTIES if checked.faults[name]]
    for name, what in PROPERTIES.items():
        result = f"{len(checked.faults[name])} VIOLATIONS" if checked.faults[name] else "holds"
        print(f"{name:4} {checked.looked[name]:8} looks  {result:14} {what}")
        for text in checked.faults[name][:SHOWN]:
            print(f"       {text[:400]}")
    duplicates = sum(1 for some in checked.by_message.values() if len(some) > 1)
    counts = ", ".join(f"{count} {what}" for what, count in sorted(checked.counts.items()))
    print(f"topics: {len(run.published)} records ({counts}), {len(run.dead_letters)} dead letters, {duplicates} events more than once")
    if given.report:
        add_to_report(given.report, run, checked, failed)
    print(f"{len(PROPERTIES) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
