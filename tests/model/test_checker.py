"""The checker finds faults: a faultless site passes, and each kind of fault is reported."""
import copy
import json
import unittest

import model
from checker import Checker
from ideal_site import ideal_dump, local_row, record

A, B, C = "user_1aaaaaa", "user_2bbbbbb", "user_3cccccc"
RECORDS = [
    record("created", A, 1, 0, "ada@x", username="ada"),
    record("updated", A, 3, 1, "ada@x", username="ada", name="Newest"),
    record("updated", A, 2, 2, "old@x", username="old", name="Older"),
    record("created", B, 1, 3, "ada@x", verified=False, username="ada"),
    record("created", C, 1, 4, "gone@x"), record("deleted", C, 2, 5),
]
LOCAL = local_row(1, "local@x", "local", password="$2a$10$x", reset_password_token="reset")


def faults(dump, records=RECORDS, locals=(LOCAL,), edits=(), config=model.Config()):
    checker = Checker(copy.deepcopy(records), dump, {"up_users": list(locals)}, edits, config)
    return [text for _, text in checker.run()]


class FaultsAreFound(unittest.TestCase):
    def setUp(self):
        self.dump = ideal_dump(RECORDS, [LOCAL])

    def row(self, clerk_id):
        return next(row for row in self.dump["up_users"] if row["clerk_id"] == clerk_id)

    def found(self, word, **more):
        found = faults(self.dump, **more)
        self.assertTrue(any(word in text for text in found), (word, found))

    def test_a_faultless_site_passes(self):
        self.assertEqual(faults(self.dump), [])
        self.assertEqual(self.row(A)["email"], "ada@x")
        self.assertEqual(self.row(B)["username"], "ada-bbbbbb")

    def test_an_older_state_won_i2(self):
        self.row(A)["full_name"] = "Older"
        self.found("full_name")

    def test_a_column_of_ours_is_wrong(self):
        for column, value in [("email", "x@x"), ("username", "x"), ("blocked", True), ("confirmed", False),
            ("provider", None),
                              ("created_at", "2020-01-01T00:00:00"), ("document_id", "short"), ("published_at", None)]:
            with self.subTest(column):
                self.dump = ideal_dump(RECORDS, [LOCAL])
                self.row(A)[column] = value
                self.assertEqual(len(faults(self.dump)), 1)

    def test_a_column_that_is_not_ours_changed_p10_i10(self):
        self.row(A)["locale"] = "fr"
        self.found("locale")

    def test_the_weaker_user_has_the_value(self):
        strong, weak = self.row(A), self.row(B)
        for column in ("email", "username"):
            strong[column], weak[column] = weak[column], strong[column]
        self.found("email, username")

    def test_a_deleted_user_returns_i3(self):
        row = dict(self.row(A), id=900, clerk_id=C, email="gone@x", username="gone@x")
        self.dump["up_users"].append(row)
        self.found(f"{C} rows")

    def test_a_tombstone_is_lost_i3(self):
        self.dump["clerk_sync.user_state"] = [row for row in self.dump["clerk_sync.user_state"] if not row["tombstone"]]
        self.found(f"{C} state")

    def test_a_user_is_missing_or_duplicated_i4(self):
        self.dump["up_users"].append(dict(self.row(A), id=900))
        self.found(f"{A} rows")
        self.dump["up_users"] = [row for row in self.dump["up_users"] if row["clerk_id"] != A]
        self.found(f"{A} rows")

    def test_role_links_and_profiles_are_counted_i4(self):
        self.dump["up_users_role_lnk"].append(dict(self.dump["up_users_role_lnk"][0], role_id=2))
        self.found("role links")
        self.dump["user_profiles_user_lnk"].pop(0)
        self.found("user_profiles: expected 1")

    def test_a_role_or_a_profile_name_is_wrong(self):
        self.dump["up_users_role_lnk"][0]["role_id"] = 2
        self.found("role: expected")
        self.dump["member_profiles"][0]["name"] = "Older"
        self.found("member_profiles name")

    def test_a_local_user_changed_vanished_or_appeared_p10(self):
        self.dump["up_users"][0] = dict(LOCAL, password=None)
        self.found("local user 1")
        del self.dump["up_users"][0]
        self.found("local user 1")
        self.dump["up_users"] += [LOCAL, local_row(2, "x", "x")]
        self.found("local user 2")

    def test_a_state_has_another_version_or_other_values(self):
        self.dump["clerk_sync.user_state"][0]["event_ms"] += 1
        self.found("version")
        self.dump["clerk_sync.user_state"][1]["email"] = "x"
        self.found("desired")

    def test_a_position_is_ahead_or_behind_i7(self):
        self.dump["clerk_sync.next_offset"][0]["value"] -= 1
        self.found("next offset")

    def test_a_record_is_neither_applied_nor_parked_p7(self):
        poison = dict(record("updated", A, 9, 6), key="user_other", outcome="updated")
        self.dump["clerk_sync.next_offset"][0]["value"] += 1
        self.found("parked", records=RECORDS + [poison])
        dead_letter = dict(poison, topic="dead", headers=dict(poison["headers"], dlq_reason="contradictory",
            dlq_topic="events", dlq_partition="0", dlq_offset="6"))
        self.assertEqual(faults(self.dump, RECORDS + [poison, dead_letter]), [])
        dead_letter["headers"]["dlq_offset"] = "0"
        self.found("applied", records=RECORDS + [poison, dead_letter])


class Links(unittest.TestCase):
    """LOCAL's e-mail is desired: by which user, and may the row become theirs?"""
    asked = [record("created", A, 1, 0, "local@x", username="ada")]
    unverified = [record("created", A, 1, 0, "local@x", verified=False, username="ada")]

    def linked(self, records, **changes):
        dump = ideal_dump(records, [LOCAL])
        mine = next(row for row in dump["up_users"] if row["clerk_id"] == A)
        row = dict(LOCAL, email="local@x", username="ada", clerk_id=A, provider="clerk", full_name="Ada", password=None,
                   reset_password_token=None) | changes
        dump["up_users"] = [row]
        for table in ("up_users_role_lnk", "user_profiles_user_lnk", "member_profiles_user_lnk"):
            for link in dump[table]:
                link["user_id"] = LOCAL["id"] if link["user_id"] == mine["id"] else link["user_id"]
        dump["clerk_sync.user_state"][0]["strapi_id"] = LOCAL["id"]
        return dump

    def test_a_verified_address_links_and_must(self):
        self.assertEqual(faults(self.linked(self.asked), self.asked), [])
        self.assertTrue(any("link to the local user" in text
            for text in faults(ideal_dump(self.asked, [LOCAL]), self.asked)))

    def test_an_unverified_address_or_the_other_policy_never_links_e7(self):
        self.assertTrue(faults(self.linked(self.unverified), self.unverified))
        self.assertEqual(faults(ideal_dump(self.unverified, [LOCAL]), self.unverified), [])
        placeholder = model.Config(email_conflict="placeholder")
        self.assertTrue(faults(self.linked(self.asked), self.asked, config=placeholder))
        self.assertEqual(faults(ideal_dump(self.asked, [LOCAL]), self.asked, config=placeholder), [])

    def test_provisioning_never_links(self):
        seen = [record("seen", A, 1, 0, "local@x", username="ada")]
        self.assertTrue(faults(self.linked(seen), seen))

    def test_two_local_users_with_the_address_are_never_linked(self):
        twin = local_row(2, "local@x", "twin")
        self.assertEqual(faults(ideal_dump(self.asked, [LOCAL, twin]), self.asked, [LOCAL, twin]), [])

    def test_the_local_credentials_are_removed(self):
        for column in ("password", "reset_password_token"):
            found = faults(self.linked(self.asked, **{column: LOCAL[column]}), self.asked)
            self.assertTrue(any(column in text for text in found), found)

    def test_a_linked_row_goes_with_its_user_and_not_without(self):
        gone = self.asked + [record("deleted", A, 2, 1)]
        dump = ideal_dump(gone, [LOCAL])
        self.assertEqual(faults(dump, gone), [])  # deleted before it could be linked
        dump["up_users"] = []
        self.assertEqual(faults(dump, gone), [])
        other = [record("created", A, 1, 0, "other@x"), record("deleted", A, 2, 1)]
        self.assertTrue(faults(ideal_dump(other, [LOCAL]) | {"up_users": []}, other))


class Edits(unittest.TestCase):
    def test_an_edit_counts_as_far_as_its_time_is_known(self):
        for when, value, right in [("after", "By Hand", True), ("before", "By Hand", False),
            ("before", "Newest", True), ("between", "anything", True)]:
            with self.subTest(when=when, value=value):
                dump = ideal_dump(RECORDS, [LOCAL])
                next(row for row in dump["up_users"] if row["clerk_id"] == A)["full_name"] = value
                found = faults(dump, edits=[{"clerk_id": A, "when": when, "set": {"full_name": "By Hand"}}])
                self.assertEqual(found == [], right, found)

    def test_a_removed_row_returns_only_after_an_event(self):
        dump = ideal_dump(RECORDS, [LOCAL])
        edit = {"clerk_id": A, "when": "after", "remove": True}
        self.assertTrue(faults(dump, edits=[edit]))
        dump["up_users"] = [row for row in dump["up_users"] if row["clerk_id"] != A]
        self.assertEqual([text for text in faults(dump, edits=[edit]) if text.startswith(A)], [])


class Files(unittest.TestCase):
    def test_the_dump_survives_json(self):
        dump = json.loads(json.dumps(ideal_dump(RECORDS, [LOCAL])))
        self.assertEqual(faults(dump), [])


if __name__ == "__main__":
    unittest.main()
