"""The checker finds violations: a faultless run passes, and each kind of violation is reported under its property."""
import copy
import hashlib
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "model"))

from ideal_site import BEGIN_MS, ideal_dump, local_row, record  # noqa: E402
from run_checker import INSTANCE, PROPERTIES, Run, RunChecker, lose_one_record  # noqa: E402

A, B = "user_1aaaaaa", "user_2bbbbbb"
LOCAL = local_row(1, "local@x", "local", password="$2a$10$x")
TOPICS = {"TOPIC_USER_EVENTS": "events", "TOPIC_DEAD_LETTERS": "letters"}
NOW = BEGIN_MS + 200_000


def published():
    made = [record("created", A, 1, 0, "ada@x"), record("updated", A, 3, 1, "ada@x", name="Newest"),
            record("created", B, 1, 2, "bob@x"), record("deleted", B, 2, 3)]
    for one in made:
        one["value"] = one["value"].replace('"timestamp"', f'"instance_id": "{INSTANCE}", "timestamp"', 1).encode()
    return made


def version(one):
    updated = BEGIN_MS + int(one["headers"]["ce_id"].rsplit("_", 1)[1])
    return [updated, updated, one["headers"]["ce_id"], hashlib.sha256(one["value"]).hexdigest()]


def faultless():
    log = published()
    after = ideal_dump(log, [LOCAL])
    history = []
    for one in log:
        digest = hashlib.sha256(one["value"]).hexdigest()
        history += [{"what": "message", "id": one["headers"]["ce_id"], "kind": "event", "hash": digest},
                    {"what": "ok", "id": one["headers"]["ce_id"], "status": 200, "at": NOW}]
    history.append({"what": "message", "id": "msg_forged", "kind": "forged", "hash": ""})
    ones, gone = [1, 1, 1, 1], [0, 0, 0, 0]
    seen = [({A: [False, *version(log[0]), *ones]}, 1), ({A: [False, *version(log[1]), *ones]}, 2),
            ({B: [False, *version(log[2]), *ones]}, 3), ({B: [True, *version(log[2]), *gone]}, 4), ({}, 4)]
    for n, (changed, position) in enumerate(seen):
        history.append({"what": "committed", "at": NOW + n, "topic": "events", "committed": {"0": max(0, position - 1)}})
        history.append({"what": "look", "at": NOW + n, "began": NOW + n, "next": {"events 0": position},
                        "changed": changed, "gone": []})
    for kind, status in [("good", 200), ("forged", 401)]:
        history += [{"what": "verify", "id": kind, "at": NOW, "kind": kind, "user": A},
                    {"what": "verified", "id": kind, "at": NOW, "kind": kind, "user": A, "status": status, "clerkId": A}]
    history += [{"what": "quiet", "ms": 5, "at": NOW},
                {"what": "stopped", "at": NOW, "kind": "worker", "code": 0, "ms": 100, "program": "w"}]
    return Run(history, log, {"up_users": [dict(LOCAL)]}, after, {"rules": {}, "topics": TOPICS})


class ViolationsAreFound(unittest.TestCase):
    def setUp(self):
        self.run_ = faultless()

    def line(self, what, **fields):
        return next(one for one in self.run_.history if one["what"] == what and fields.items() <= one.items())

    def found(self, name):
        faults = RunChecker(self.run_).check()
        self.assertTrue(faults[name], dict(faults))

    def test_a_faultless_run_passes_and_every_property_was_looked_at(self):
        checked = RunChecker(copy.deepcopy(self.run_))
        self.assertEqual({name: some for name, some in checked.check().items() if some}, {})
        self.assertEqual([name for name in PROPERTIES if not checked.looked[name]], [])

    def test_p1_an_answer_before_its_record(self):
        self.line("ok")["at"] = BEGIN_MS
        self.found("P1")

    def test_p2_an_acknowledged_record_is_lost(self):
        lose_one_record(self.run_)
        self.found("P2")

    def test_p2_another_body_than_the_acknowledged_one(self):
        self.line("message")["hash"] = "0" * 64
        self.found("P2")

    def test_p3_an_older_state_won(self):
        next(row for row in self.run_.after["up_users"] if row["clerk_id"] == A)["full_name"] = "Older"
        self.found("P3")

    def test_p4_a_version_decreases_or_a_deleted_user_returns(self):
        looks = [one for one in self.run_.history if one["what"] == "look"]
        looks[4]["changed"] = looks[0]["changed"]
        self.found("P4")
        looks[4]["changed"] = looks[2]["changed"]
        self.found("P4")

    def test_p4_no_looks(self):
        self.run_.history = [one for one in self.run_.history if one["what"] != "look"]
        self.found("P4")

    def test_p5_two_rows_or_a_row_without_its_profile(self):
        state = self.line("look")["changed"][A]
        for place in (5, 6, 7):
            before, state[place] = state[place], 2 if place == 5 else 0
            self.found("P5")
            state[place] = before

    def test_p6_a_position_before_its_effect(self):
        self.line("look")["next"]["events 0"] = 2
        self.found("P6")

    def test_p6_a_commit_of_kafka_before_its_effect(self):
        self.line("committed")["committed"]["0"] = 4
        self.found("P6")

    def test_p6_a_record_that_cannot_be_applied_was_passed_and_not_parked(self):
        self.run_.published[0]["key"] = "user_2another"
        self.found("P6")
        self.found("P7")

    def test_p6_a_record_that_was_parked_again_later_was_parked_in_time(self):
        self.run_.published[0]["key"] = "user_2another"
        place = {"dlq_topic": "events", "dlq_partition": "0", "dlq_offset": "0", "dlq_reason": "x"}
        for n, when in enumerate([NOW - 1, NOW + 3_600_000]):
            self.run_.dead_letters.append({"topic": "letters", "partition": 0, "offset": n, "timestamp": when, "value": b"x", "headers": place})
        self.assertEqual([text for text in RunChecker(self.run_).check()["P6"] if "not parked" in text], [])

    def test_p7_a_forged_webhook_is_published(self):
        self.run_.published[0]["headers"]["ce_id"] = "msg_forged"
        self.found("P7")

    def test_p7_a_dead_letter_without_a_record(self):
        headers = {"dlq_topic": "events", "dlq_partition": "0", "dlq_offset": "77", "dlq_reason": "x"}
        dead_letter = {"topic": "letters", "partition": 0, "offset": 0, "timestamp": NOW, "value": b"x", "headers": headers}
        self.run_.records.append(dead_letter)
        self.run_.dead_letters.append(dead_letter)
        self.found("P7")

    def test_p8_a_forged_token_or_a_deleted_user_is_accepted(self):
        self.line("verified", kind="forged")["status"] = 200
        self.found("P8")
        self.run_ = faultless()
        for what in ("verify", "verified"):
            self.line(what, kind="good").update(user=B, clerkId=B, at=NOW + 60_000)
        self.found("P8")

    def test_p9_a_crash_a_hang_a_growth_a_slow_stop(self):
        bad = [{"what": "crashed", "kind": "worker", "code": None, "signal": "SIGSEGV", "program": "w"},
               {"what": "resources", "kind": "worker", "kib": 10**6, "descriptors": 10, "threads": 9},
               {"what": "stopped", "at": NOW, "kind": "worker", "code": 0, "ms": 20_000, "program": "w"},
               {"what": "info", "id": "msg", "status": 503, "retryAfter": None}]
        for line in bad:
            self.run_ = faultless()
            self.run_.history.append(line)
            self.found("P9")
        self.run_ = faultless()
        self.run_.history = [one for one in self.run_.history if one["what"] != "quiet"]
        self.found("P9")

    def test_p10_a_local_user_was_changed(self):
        next(row for row in self.run_.after["up_users"] if row["clerk_id"] is None)["email"] = "changed@x"
        self.found("P10")


if __name__ == "__main__":
    unittest.main()
