#!/usr/bin/env python3
"""Compares every row of a site with the reference model's result for the topics' records (README.md).

    checker.py --records F --dump F [--initial F] [--edits F] [--set NAME=VALUE ...]

Prints each difference in one line; exit 0 when there is none, 1 when there is one, 2 for wrong usage.
"""
import argparse
import base64
import functools
import json
import re
import sys
from collections import Counter, defaultdict

import history
import links
import model
import records
import site_dump
from site_dump import Site

OWNED = {"email", "username", "full_name", "blocked", "confirmed", "provider", "clerk_id", "document_id", "created_at",
         "updated_at", "published_at", "id"}
DOCUMENT_ID = re.compile(r"[a-z][a-z0-9]{23}")
FRIENDLY_NAME = re.compile(r"[A-Z][a-z]+[A-Z][a-z]+[0-9]{4}")


class Checker:
    """`records` in the order in which they were applied, as far as it is known; `edits` likewise."""

    def __init__(self, records, dump, initial=None, edits=(), config=model.Config()):
        self.config = config
        self.records = records
        self.edits = edits
        self.before = Site(initial or {}, config.profile_types)
        self.after = Site(dump, config.profile_types)
        self.faults = []
        self.counts = Counter()
        self.events = defaultdict(list)  # clerk id: [((step, store) or None, Event)]
        self.outcomes = defaultdict(list)  # clerk id: the worker's outcome of each event, where the history has it
        self.followed = {}
        self.desiring = defaultdict(list)  # e-mail: the present users who desire it now, verified

    def fault(self, clerk_id, field, expected, found):
        self.faults.append((clerk_id, f"{clerk_id} {field}: expected {expected}, found {found}"))

    def expect(self, clerk_id, field, allowed, found):
        if allowed is not history.ANYTHING and found not in allowed:
            self.fault(clerk_id, field, " or ".join(sorted(map(repr, allowed))), repr(found))

    def run(self):
        self.read_records()
        self.follow_users()
        self.links = links.find_links(self)
        self.check_outcomes()
        self.check_locals()
        self.check_users()
        self.check_states()
        self.check_positions()
        return self.faults

    # --- accounting: each record is applied, superseded or parked

    def read_records(self):
        dead_letters = [record["headers"] for record in self.records if "dlq_reason" in record["headers"]]
        parked = {(one["dlq_topic"], int(one["dlq_partition"]), int(one["dlq_offset"])) for one in dead_letters}
        dead_letters_known = bool(parked)
        for record in self.records:
            if "dlq_reason" in record["headers"]:
                continue
            place = (record["topic"], record["partition"], record["offset"])
            was_parked = place in parked if dead_letters_known else str(record.get("outcome", "")).startswith("parked")
            try:
                event = records.decode_record(record, self.config)
            except records.Parked as reason:
                self.counts["parked"] += 1
                if (dead_letters_known or "outcome" in record) and not was_parked:
                    found = record.get("outcome", "not parked")
                    self.fault(record.get("key"), f"record {place}", f"parked ({reason})", found)
                continue
            if was_parked:
                self.fault(event.clerk_id, f"record {place}", "applied", record.get("outcome", "parked"))
            self.counts["decoded"] += 1
            moment = (record["step"], record.get("store", 0)) if "step" in record else None
            self.events[event.clerk_id].append((moment, event))
            if moment and "outcome" in record and "store" not in record:
                self.outcomes[event.clerk_id].append((place, record["outcome"]))

    def follow_users(self):
        edits = defaultdict(list)
        for edit in self.edits:
            if "clerk_id" in edit:
                edits[edit["clerk_id"]].append(edit)
        for clerk_id in set(self.events) | set(edits):
            timelines, between = history.timelines(self.events[clerk_id], edits[clerk_id])
            rows = self.before.by_clerk_id[clerk_id]
            initial = self.before.as_initial(rows[0]) if rows else None
            followed = functools.reduce(
                history.either, (history.follow(steps, initial, self.config) for steps in timelines))
            for edit in between:
                followed.row = history.unsure(followed.row, edit)
                followed.may_be_gone |= bool(edit.get("remove"))
                followed.removed_by_edit |= bool(edit.get("remove"))
            self.choose_provisioning(clerk_id, followed)
            self.followed[clerk_id] = followed
            self.remember_desired(clerk_id, followed.state)
            self.counts["applied"] += followed.state != model.ABSENT
        self.counts["superseded"] = self.counts.pop("decoded", 0) - self.counts["applied"]

    def remember_desired(self, clerk_id, state):
        if isinstance(state, model.Present) and state.desired.email_verified:
            self.desiring[state.desired.email].append(clerk_id)

    def choose_provisioning(self, clerk_id, followed):
        """Of several provisioning records and no other event, the first was applied: without steps it is unknown which."""
        events = self.events[clerk_id]
        if {event.kind for _, event in events} != {"seen"} or any(moment is not None for moment, _ in events):
            return
        stored = self.after.states.get(clerk_id, {})
        for _, event in events:
            if (event.desired.email, event.desired.username) == (stored.get("email"), stored.get("username")):
                followed.state = model.Present(event.version, event.desired)

    def check_outcomes(self):
        for clerk_id, followed in self.followed.items():
            if clerk_id in self.links.candidates:
                continue  # a link may count as created, adopted or updated
            for (place, outcome), allowed in zip(self.outcomes[clerk_id], followed.outcomes):
                self.expect(clerk_id, f"outcome of {place}", allowed, outcome)

    # --- rows that are not ours

    def check_locals(self):
        edits = {edit["document_id"]: edit for edit in self.edits if "document_id" in edit}
        for user_id, row in self.before.locals().items():
            if user_id in self.links.owners or user_id in self.links.may_be_gone and user_id not in self.after.users:
                continue
            expected = self.before.whole(user_id)
            edit = edits.get(row["document_id"], {})
            expected["row"] = dict(row, **edit.get("set", {}))
            if (found := self.after.whole(user_id)) != expected:
                self.fault(f"local user {user_id}", "everything", expected, found)
        for user_id in self.after.locals().keys() - self.before.users.keys():
            self.fault(f"local user {user_id}", "row", "none", self.after.users[user_id]["document_id"])

    # --- rows that are ours

    def assigned_values(self):
        """{clerk id: {(email, username), ...}}: one pair each, two where a present user's row was removed by hand."""
        present = {id: one.state for id, one in self.followed.items() if isinstance(one.state, model.Present)}
        held = set()
        for row in self.after.users.values():
            state = self.followed.get(row["clerk_id"])
            if state is None or not isinstance(state.state, model.Present):
                held |= {row["email"], row["username"]}
        with_row = {id: state for id, state in present.items() if self.followed[id].row is not None}
        variants = [present] if len(with_row) == len(present) else [present, with_row]
        given = [model.assign(candidates, held - {None}, self.config) for candidates in variants]
        return {id: {one[id] for one in given if id in one} for id in present}

    def check_users(self):
        given = self.assigned_values()
        for clerk_id, followed in self.followed.items():
            rows = self.after.by_clerk_id[clerk_id]
            if followed.row is None or followed.may_be_gone and not rows:
                if rows:
                    self.fault(clerk_id, "rows", 0, len(rows))
            elif len(rows) != 1:
                self.fault(clerk_id, "rows", 1, len(rows))
            elif followed.state == model.TOMBSTONE:
                self.check_emptied(clerk_id, followed.row, rows[0])
            else:
                self.check_row(clerk_id, followed, rows[0], given.get(clerk_id))
        for clerk_id, rows in self.after.by_clerk_id.items():
            if clerk_id not in self.followed and rows and rows != self.before.by_clerk_id[clerk_id]:
                self.fault(clerk_id, "row without an event", "unchanged", "changed")

    def check_row(self, clerk_id, followed, row, given):
        expected = self.links.changed(row, followed.row)
        if given:
            self.expect(clerk_id, "email, username", given, (row["email"], row["username"]))
        self.expect(clerk_id, "full_name", expected.full_name, row["full_name"])
        self.expect(clerk_id, "blocked", {value for value, _ in expected.blocked}, row["blocked"])
        if isinstance(followed.state, model.Present):
            self.expect(clerk_id, "confirmed, provider", {(True, "clerk")}, (row["confirmed"], row["provider"]))
        if expected.created_at_ms is not history.ANYTHING:
            created_at = {site_dump.timestamp(ms) for ms in expected.created_at_ms}
            self.expect(clerk_id, "created_at", created_at, row["created_at"])
        self.check_columns(clerk_id, expected, row)
        roles = self.after.roles[row["id"]]
        if len(roles) != 1:
            self.fault(clerk_id, "role links", 1, len(roles))
        self.expect(clerk_id, "role", expected.role, roles[0] if roles else None)
        self.check_profiles(clerk_id, expected, row)

    def check_columns(self, clerk_id, expected, row):
        """Columns we do not own keep what others wrote; in a new row they are empty (I10)."""
        if not row["published_at"] or not row["updated_at"] or not DOCUMENT_ID.fullmatch(row["document_id"] or ""):
            self.fault(clerk_id, "document_id and times", "as Strapi writes them", row)
        kept = self.before.users.get(row["id"], {})
        for column in row.keys() - OWNED:
            allowed = {expected.columns.get(column, kept.get(column))}
            if self.links.cleared(row):  # an edit may have hit the row that the link removed
                allowed.add(None if column in links.CREDENTIALS else kept.get(column))
                if column in links.CREDENTIALS and column not in expected.columns:
                    allowed = {None}
            self.expect(clerk_id, column, allowed, row[column])

    def check_profiles(self, clerk_id, expected, row):
        generated = set()
        for kind in self.config.profile_types:
            profiles = self.after.profiles[kind][row["id"]]
            touched = self.followed[clerk_id].state != model.ABSENT
            if len(profiles) != (1 if touched else len(self.before.profiles[kind][row["id"]])):
                self.fault(clerk_id, kind, 1 if touched else "as before", len(profiles))
            if len(profiles) != 1:
                continue
            name = profiles[0].get("name")
            allowed = expected.names.get(kind, history.ANYTHING)
            if allowed is not history.ANYTHING and history.GENERATED in allowed and FRIENDLY_NAME.fullmatch(name or ""):
                generated.add(name)
            else:
                self.expect(clerk_id, f"{kind} name", allowed, name)
        if len(generated) > 1:
            self.fault(clerk_id, "generated names", "the same in each profile", sorted(generated))

    def check_emptied(self, clerk_id, expected, row):
        """What DELETE_POLICY=block leaves, and an admin's edits since."""
        values = (model.placeholder_email(clerk_id, self.config), clerk_id, "clerk-deleted")
        self.expect(clerk_id, "emptied row", {values}, (row["email"], row["username"], row["provider"]))
        self.expect(clerk_id, "emptied row's full_name", expected.full_name, row["full_name"])
        self.expect(clerk_id, "emptied row's blocked", {value for value, _ in expected.blocked}, row["blocked"])

    # --- our own state

    def check_states(self):
        for clerk_id, followed in self.followed.items():
            stored = self.after.states.get(clerk_id)
            if (stored is None) != (followed.state == model.ABSENT):
                self.fault(clerk_id, "state", followed.state, stored)
            elif stored is not None:
                self.check_state(clerk_id, followed.state, stored)
        for clerk_id in self.after.states.keys() - self.followed.keys() - self.before.states.keys():
            self.fault(clerk_id, "state", "none", "one")

    def check_state(self, clerk_id, state, stored):
        self.expect(clerk_id, "tombstone", {state == model.TOMBSTONE}, stored["tombstone"])
        if state == model.TOMBSTONE:
            return
        version = (stored["updated_at_ms"], stored["event_ms"], stored["event_id"], stored["body_hash"])
        self.expect(clerk_id, "version", {(*state.version[:3], "\\x" + state.version[3].hex())}, version)
        names = ("email", "email_verified", "username", "full_name", "banned")
        desired = tuple(getattr(state.desired, name) for name in names)
        self.expect(clerk_id, "desired", {desired}, tuple(stored[name] for name in names))
        rows = self.after.by_clerk_id[clerk_id]
        if len(rows) == 1:
            self.expect(clerk_id, "strapi_id", {rows[0]["id"]}, stored["strapi_id"])

    def check_positions(self):
        """The position is one after the last record, once everything was applied (I7)."""
        last = {}
        for record in self.records:
            if "dlq_reason" not in record["headers"]:
                place = (record["topic"], record["partition"])
                last[place] = max(last.get(place, 0), record["offset"] + 1)
        for (topic, partition), value in last.items() if self.after.offsets else ():
            self.expect(f"{topic}/{partition}", "next offset", {value}, self.after.offsets.get((topic, partition)))


def lines_of(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def read_record(record):
    if record.get("value") is not None:
        record["value"] = base64.b64decode(record["value"])
    return record


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", required=True,
        help="JSON lines: topic, partition, offset, key, value (base64), headers, timestamp")
    parser.add_argument("--dump", required=True, help="JSON: {table: [row, ...]}")
    parser.add_argument("--initial", help="the same, before the first record")
    parser.add_argument("--edits", help="JSON lines: what an admin did, and when")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a variable of the worker")
    given = parser.parse_args()
    with open(given.dump, encoding="utf-8") as file:
        dump = json.load(file)
    initial = json.load(open(given.initial, encoding="utf-8")) if given.initial else None
    config = model.Config.of(dict(pair.split("=", 1) for pair in given.set))
    checker = Checker([read_record(record) for record in lines_of(given.records)], dump, initial,
                      lines_of(given.edits) if given.edits else [], config)
    faults = checker.run()
    for _, text in faults:
        print(text)
    counts = ", ".join(f"{count} {what}" for what, count in sorted(checker.counts.items()))
    print(f"{len(checker.followed)} users, {counts}: {len(faults)} differences")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
