"""The model's own tests: order and copies do not matter, no two users share a value, values are those of Clerk."""
import functools
import itertools
import json
import unittest

import history
import model
import records
from random_sets import RandomSet, chance_of

SEED = "model"


def event(kind, version, clerk_id="user_a", **desired):
    if kind == "deleted":
        return model.Event(kind, clerk_id)
    if kind == "seen":
        return model.Event(kind, clerk_id, model.LOWEST_VERSION, model.Desired(**desired))
    return model.Event(kind, clerk_id, (1000 + version, 1000 + version, f"msg_{version}", bytes(32)),
        model.Desired(**desired))


def candidate(version, email=None, username=None, verified=True):
    return model.Present((version, version, "", bytes(32)), model.Desired(email, verified, username))


def random_events(number, length):
    chance = chance_of(SEED, number)
    kinds = ["created", "updated", "updated", "snapshot", "seen", "deleted"]
    # At most one provisioning record: several have no order but that of arrival.
    chosen = [chance.choice(kinds) for _ in range(length)]
    seen = chosen.index("seen") if "seen" in chosen else -1
    return [event("updated" if kind == "seen" and i != seen else kind, chance.randint(0, 3) * 10 + i,
        full_name=f"Name {i}")
            for i, kind in enumerate(chosen)]


class States(unittest.TestCase):
    def test_all_orders_of_small_sets_end_in_one_state_i2(self):
        for number in range(40):
            events = random_events(number, 2 + number % 5)
            ends = {model.fold(order) for order in itertools.permutations(events)}
            self.assertEqual(len(ends), 1, events)

    def test_copies_and_splits_change_nothing_i2(self):
        for number in range(2000):
            events = random_events(number, 8)
            chance = chance_of(SEED, "copies", number)
            whole = model.fold(events)
            copies = events + chance.sample(events, 4)
            chance.shuffle(copies)
            self.assertEqual(model.fold(copies), whole)
            cut = chance.randrange(len(events))
            self.assertEqual(model.fold(events[cut:], model.fold(events[:cut])), whole)

    def test_a_tombstone_stays_i3(self):
        for kind in model.KINDS:
            self.assertEqual(model.apply(model.TOMBSTONE, event(kind, 10 ** 12)), model.TOMBSTONE)
            self.assertEqual(model.fold([event(kind, 5), event("deleted", 0), event(kind, 9)]), model.TOMBSTONE)

    def test_versions_are_compared_as_tuples_strictly(self):
        base = (5, 5, "msg_5", b"5" * 32)
        first = model.Present(base, model.Desired(full_name="first"))
        for version, wins in [(base, False), ((5, 5, "msg_5", b"6" * 32), True), ((5, 5, "msg_6", b"0" * 32), True),
                              ((5, 6, "", b"0" * 32), True), ((6, 0, "", b"0" * 32), True),
                              ((4, 9, "msg_9", b"9" * 32), False)]:
            other = model.Event("updated", "user_a", version, model.Desired(full_name="other"))
            self.assertEqual(model.apply(first, other).desired.full_name, "other" if wins else "first", version)

    def test_provisioning_applies_only_to_an_absent_user(self):
        self.assertEqual(model.fold([event("seen", 0), event("created", 1, full_name="Ada")]).desired.full_name, "Ada")
        self.assertEqual(model.fold([event("created", 1, full_name="Ada"), event("seen", 0)]).desired.full_name, "Ada")


class AssignedValues(unittest.TestCase):
    def test_the_strongest_user_has_the_value(self):
        for strong, weak in [(candidate(1, "e", verified=True), candidate(9, "e", verified=False)),
            (candidate(2, "e"), candidate(1, "e"))]:
            for ids in (("user_1aaaaaa", "user_2bbbbbb"), ("user_2bbbbbb", "user_1aaaaaa")):
                given = model.assign({ids[0]: strong, ids[1]: weak}, set())
                self.assertEqual([given[id][0] for id in ids], ["e", f"{ids[1]}@clerk.user"])
        given = model.assign({"user_2": candidate(1, "e"), "user_1": candidate(1, "e")}, set())
        self.assertEqual(given["user_1"][0], "e")

    def test_either_field_counts_against_either(self):
        given = model.assign({"user_1aaaaaa": candidate(2, "e@x"), "user_2bbbbbb": candidate(1, None, "e@x")}, set())
        self.assertEqual(given["user_2bbbbbb"], ("user_2bbbbbb@clerk.user", "e@x-bbbbbb"))

    def test_a_local_user_is_never_displaced(self):
        given = model.assign({"user_1aaaaaa": candidate(2, "e@x", "ada")}, {"e@x", "ada", "ada-aaaaaa"})
        self.assertEqual(given["user_1aaaaaa"], ("user_1aaaaaa@clerk.user", "user_1aaaaaa"))

    def test_no_two_users_share_a_value(self):
        for number in range(3000):
            chance = chance_of(SEED, "claims", number)
            values = ["v0@x", "v1@x", "n0", "n1", "n0-aaaaaa", "n0-bbbbbb", None]
            ids = [f"user_{letter}{chance.choice(('aaaaaa', 'bbbbbb'))}" for letter in "uvwxyz"[:chance.randint(1, 6)]]
            candidates = {id: candidate(chance.randint(0, 2), chance.choice(values), chance.choice(values),
                chance.random() < 0.5) for id in ids}
            held = set(chance.sample(values[:-1], chance.randint(0, 2)))
            given = model.assign(candidates, held)
            texts = [text for pair in given.values() for text in set(pair)]
            self.assertEqual(len(texts), len(set(texts)), (candidates, given))
            self.assertFalse(set(texts) & held, (candidates, held, given))
            shuffled = list(candidates.items())
            chance.shuffle(shuffled)
            self.assertEqual(model.assign(dict(shuffled), held), given)
            for text in {one.desired.email for one in candidates.values()} - held - {None}:
                self.assertIn(text, texts, "a desired value belongs to a user")

    def test_a_freed_value_goes_to_the_next_user(self):
        candidates = {"user_1": candidate(3, "e"), "user_2": candidate(2, "e"), "user_3": candidate(1, "e")}
        for winner in ("user_1", "user_2", "user_3"):
            self.assertEqual([id for id, (email, _) in model.assign(candidates, set()).items() if email == "e"], [winner])
            del candidates[winner]


class Mapping(unittest.TestCase):
    def address(self, id, text, status):
        return {"id": id, "email_address": text, "verification": {"status": status} if status else None}

    def test_the_primary_address_else_the_first_verified_else_the_first(self):
        addresses = [self.address("a", "A@x", None), self.address("b", "B@x", "verified"),
            self.address("c", "C@x", "unverified")]
        for primary, email, verified in [("c", "c@x", False), ("gone", "b@x", True), (None, "b@x", True)]:
            desired = records.desired_of({"email_addresses": addresses, "primary_email_address_id": primary})
            self.assertEqual((desired.email, desired.email_verified), (email, verified))
        self.assertEqual(records.desired_of({"email_addresses": addresses[:1]}).email, "a@x")
        self.assertIsNone(records.desired_of({"email_addresses": []}).email)
        self.assertFalse(records.desired_of({"email_addresses": addresses[1:2]}, provisioning=True).email_verified)

    def test_names_are_trimmed_nul_is_replaced_and_columns_are_not_overrun_e1_e4(self):
        for first, last, name in [(" Ada ", "Lovelace\n", "Ada Lovelace"), (None, " ", None), ("", "Solo", "Solo"),
            ("A\0", None, "A\ufffd")]:
            self.assertEqual(records.desired_of({"first_name": first, "last_name": last}).full_name, name)
        self.assertEqual(len(model.cut("\U0001F469" * 300)), 255)
        self.assertEqual(len(model.placeholder_username("n" * 255, "user_123456")), 255)

    def test_banned_and_deprovisioned_block_locked_does_not_e12(self):
        for flags, banned in [({"banned": True}, True), ({"deprovisioned": True}, True), ({"locked": True}, False)]:
            self.assertEqual(records.desired_of(flags).banned, banned)

    def test_roles_come_from_the_allow_list_alone_e8(self):
        text = json.dumps({"from": "role", "map": {"admin": "editor", "root": "super"}, "precedence": ["admin"],
                           "default": "authenticated", "allowed": ["authenticated", "editor"]})
        config = model.Config(role_map=model.RoleMap.parse(text))
        for value, role in [("admin", "editor"), (["x", "admin"], "editor"), ("root", "authenticated"),
            (7, "authenticated"), (None, "authenticated")]:
            self.assertEqual(model.role_answer(model.Desired(metadata=json.dumps({"role": value})), config), role)
        self.assertEqual(model.role_answer(records.desired_of({"unsafe_metadata": {"role": "admin"}}), config),
            "authenticated")


class Records(unittest.TestCase):
    def record(self, **changes):
        one = RandomSet(1, chance_of(SEED, "records"))
        return one.event(one.users[0], "created", 1) | changes

    def test_a_good_record_is_decoded(self):
        self.assertIn(records.decode_record(self.record()).kind, ("created", "updated"))

    def test_what_can_never_be_applied_is_parked(self):
        good = self.record()
        body = json.loads(good["value"])
        late = dict(body, data=dict(body["data"], updated_at=good["timestamp"] + records.FUTURE_MAX_MS + 1))
        for why, changes in {
            "D1 no value": {"value": ""}, "D1 no key": {"key": None}, "D1 another key": {"key": "user_other"},
            "D2 cut": {"value": good["value"][:-1]},
            "D3 no id": {"headers": {"ce_specversion": "1.0", "ce_type": "clerk.user.created"}},
            "D3 twice": {"headers": list(good["headers"].items()) + [("ce_id", "again")]},
            "D4 newer schema": {"headers": good["headers"] | {"ce_dataschema": "urn:clerk-strapi-sync:user-event:2"}},
            "D5 other object": {"value": good["value"].replace("user_", "org_")},
            "D9 future": {"value": json.dumps(late)},
            "A17 duplicate name": {"value": good["value"].replace("{", '{"type": 1, ', 1)},
            "A15 half a pair": {"value": good["value"].replace('"ins_1"', '"\\ud800"')},
        }.items():
            with self.subTest(why), self.assertRaises(records.Parked):
                records.decode_record(good | changes)

    def test_an_hour_ahead_is_not_the_future_and_a_deletion_never_is_d9(self):
        good = self.record()
        body = json.loads(good["value"])
        body["data"]["updated_at"] = good["timestamp"] + records.FUTURE_MAX_MS
        records.decode_record(good | {"value": json.dumps(body)})
        gone = {"type": "user.deleted", "timestamp": 10 ** 15, "data": {"id": good["key"]}}
        self.assertEqual(records.decode_record(good | {"value": json.dumps(gone),
            "headers": good["headers"] | {"ce_type": "clerk.user.deleted"}}).kind, "deleted")


class Histories(unittest.TestCase):
    CONFIG = model.Config()

    def blocked(self, *steps):
        steps = [("events", [event("updated", i, banned=what)]) if isinstance(what, bool)
            else ("edit", {"set": {"blocked": what == "block"}})
                 for i, what in enumerate(steps)]
        return {value for value, _ in history.follow(steps, None, self.CONFIG).row.blocked}

    def test_an_admins_block_stays_and_our_own_is_undone(self):
        self.assertEqual(self.blocked(True, False), {False})
        self.assertEqual(self.blocked(False, "block", False), {True})
        self.assertEqual(self.blocked(False, "block", True, False), {True})
        self.assertEqual(self.blocked(True, "unblock", True), {False})
        self.assertEqual(self.blocked(False, True, "unblock", False, True), {True})

    def test_a_profile_name_follows_until_it_is_edited_i10(self):
        steps = [("events", [event("created", 1, full_name="One")]), ("events", [event("updated", 2, full_name="Two")])]
        self.assertEqual(history.follow(steps, None, self.CONFIG).row.names["user_profiles"], {"Two"})
        steps.insert(1, ("edit", {"profile": "Mine"}))
        self.assertEqual(history.follow(steps, None, self.CONFIG).row.names["user_profiles"], {"Mine"})

    def test_a_profile_that_a_link_left_behind_may_be_found_again_under_its_old_name(self):
        steps = [("events", [event("created", 1, full_name="One")]), ("edit", {"remove": True}),
                ("events", [event("updated", 2, full_name="Two")]), ("edit", {"remove": True}),
                ("events", [event("updated", 3, full_name="Three")])]
        for conflict, names in [("link", {"Three", "One"}), ("placeholder", {"Three"})]:
            row = history.follow(steps, None, model.Config(email_conflict=conflict)).row
            self.assertEqual(row.names["user_profiles"], names)

    def side_by_side(self, first, second):
        """Blocked by us, unblocked by an admin, and then the versions 2 and 3, each by a store of its own."""
        events = [((1, 0), event("created", 1, banned=True)), ((2, 0), event("updated", 2, banned=first)),
                  ((2, 1), event("updated", 3, banned=second))]
        timelines, _ = history.timelines(events, [{"step": 1, "set": {"blocked": False}}])
        followed = functools.reduce(history.either, (history.follow(one, None, self.CONFIG) for one in timelines))
        return {value for value, _ in followed.row.blocked}

    def test_two_stores_at_once_have_no_order(self):
        self.assertEqual(self.side_by_side(False, True), {True, False})  # 2 is applied before 3, or superseded
        self.assertEqual(self.side_by_side(True, True), {False})
        self.assertEqual(self.side_by_side(True, False), {False})

    def test_a_row_made_and_deleted_side_by_side_may_never_have_been(self):
        timelines, _ = history.timelines([((1, 0), event("deleted", 2)), ((1, 1), event("updated", 1))], [])
        blocking = model.Config(delete_policy="block")
        followed = functools.reduce(history.either, (history.follow(one, None, blocking) for one in timelines))
        self.assertEqual((len(timelines), followed.row.full_name, followed.may_be_gone), (2, {None}, True))

    def test_a_deletion_leaves_no_row_or_an_emptied_one(self):
        steps = [("events", [event("created", 1)]), ("events", [event("deleted", 2)])]
        self.assertIsNone(history.follow(steps, None, self.CONFIG).row)
        self.assertEqual(history.follow(steps, None, model.Config(delete_policy="block")).row.full_name, {None})
        self.assertIsNone(history.follow(steps[1:], None, model.Config(delete_policy="block")).row)


if __name__ == "__main__":
    unittest.main()
