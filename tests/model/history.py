"""What of a user's rows depends on the order of events: earlier rows, and an admin's edits.

follow() walks through one user's history, transaction by transaction, and returns the user's state and a Row whose
fields are sets of allowed values. A set of one is the rule; README.md lists every case in which it may have more.
"""
import itertools
from collections import defaultdict
from dataclasses import dataclass, field, replace

import model

ANYTHING = None  # instead of a set: the field is not compared
GENERATED = "<generated>"  # a friendly name like SwiftTiger4821


@dataclass
class Row:
    """One Strapi user with its role and profiles, as far as it depends on history."""
    origin: str  # "inserted", or "adopted": it existed before us
    blocked: set  # of (blocked, is it our block)
    role: set | None
    role_given: str | None
    names: dict  # profile type: set of allowed names
    name_written: str | None  # the last one of ours; unknown for an adopted row
    full_name: set
    created_at_ms: set | None
    columns: dict = field(default_factory=dict)  # what others wrote into columns that are not ours
    edited: bool = False
    found: dict = field(default_factory=dict)  # an adopted row as we found it


@dataclass
class Followed:
    state: object
    row: Row | None
    may_be_gone: bool = False
    removed_by_edit: bool = False  # an admin removed the row, at some time
    outcomes: list = field(default_factory=list)  # a set of allowed ones for each event, in their order


def profile_name(desired):
    return model.cut(desired.full_name) or GENERATED


def inserted(desired, config):
    role = model.role_answer(desired, config)
    return Row("inserted", {(desired.banned, desired.banned)}, {role}, role,
               {kind: {profile_name(desired)} for kind in config.profile_types}, profile_name(desired),
               {model.cut(desired.full_name)}, None if desired.created_at_ms is None else {desired.created_at_ms})


def adopted(initial):
    """`initial`: {"row": columns, "role": type, "profiles": {type: name}}"""
    row = initial["row"]
    return Row("adopted", {(bool(row.get("blocked")), False)}, {initial.get("role")}, None,
               {kind: {name} for kind, name in initial.get("profiles", {}).items()}, row.get("full_name"),
               {row.get("full_name")}, ANYTHING, found=dict(row))


def desired_of_row(row):
    """Adoption: the row counts as the result of the lowest of all versions. A block in it is an admin's."""
    found = row.found
    return model.Desired(found.get("email"), False, found.get("username"), found.get("full_name"))


def blocked_after(pairs, was_banned, banned):
    """True is written when Clerk's flag turns true, false only to undo a true of ours."""
    after = set()
    for blocked, ours in pairs:
        if banned and not was_banned and not blocked:
            blocked, ours = True, True
        elif not banned and ours:
            blocked, ours = False, False
        after.add((blocked, ours))
    return after


def written(row, was_banned, desired, config):
    """The row after one write of a newer state."""
    row.blocked = blocked_after(row.blocked, was_banned, desired.banned)
    answer = model.role_answer(desired, config)
    if row.role_given is None:
        # Whether an earlier role was set by us is unknown; with no map it stays in any case.
        if config.role_map and row.role is not ANYTHING:
            row.role = row.role | {answer}
    elif answer != row.role_given:
        if row.role == {row.role_given}:
            row.role, row.role_given = {answer}, answer
        elif row.role is not ANYTHING and row.role_given in row.role:
            row.role = row.role | {answer}
    name = profile_name(desired)
    for kind in config.profile_types:
        names = row.names.setdefault(kind, {name})
        if names is not ANYTHING and row.name_written in names:
            row.names[kind] = (names - {row.name_written}) | {name}
    row.name_written = name
    row.full_name = {model.cut(desired.full_name)}
    if row.created_at_ms is not ANYTHING and desired.created_at_ms is not None:
        row.created_at_ms = row.created_at_ms | {desired.created_at_ms}
    return row


def edited(row, edit):
    """The row after an admin's edit; None when the admin removed it."""
    if row is None or edit.get("remove"):
        return None
    row.edited = True
    changes = edit.get("set", {})
    row.found.update(changes)
    for column, value in changes.items():
        if column == "blocked":
            row.blocked = {(value, ours and known) for _, ours in row.blocked for known in (True, False)}
        elif column == "full_name":
            row.full_name = {value} | row.full_name  # a write for another cause may restore it
        else:
            row.columns[column] = value
    if "role" in edit:
        row.role = {edit["role"]}
    if "profile" in edit:
        row.names = {kind: {edit["profile"]} for kind in row.names}
    return row


def unsure(row, edit):
    """The row after an edit at an unknown time: the fields that it touched are not compared."""
    if row is None:
        return None
    row.edited = True
    for column in edit.get("set", {}):
        if column == "blocked":
            row.blocked = {(True, False), (False, False)}
        elif column == "full_name":
            row.full_name = ANYTHING
        else:
            row.columns[column] = edit["set"][column]
    row.role = ANYTHING if "role" in edit else row.role
    row.names = {kind: ANYTHING for kind in row.names} if "profile" in edit else row.names
    return row


def emptied(row, config):
    """DELETE_POLICY=block: the row stays, without personal data."""
    row.blocked = {(True, True)}
    row.names = {kind: ANYTHING for kind in row.names}
    row.full_name = {None}
    return row


def hand_written(row):
    """The profile names that are not ours."""
    return {kind: names if names is ANYTHING else names - {row.name_written} for kind, names in row.names.items()}


def united(names, others):
    """{profile type: names} of both."""
    return {kind: both(names.get(kind, set()), others.get(kind, set())) for kind in names.keys() | others.keys()}


def kept_or_new(old_names, row):
    """A row that was removed by hand is written again: its profiles may have outlived it, with their names."""
    for kind, names in old_names.items():
        if names is ANYTHING or kind not in row.names:
            row.names[kind] = ANYTHING
        else:
            row.names[kind] = row.names[kind] | names
    return row


def follow(steps, initial, config):
    """`steps`: [("events", [Event, ...]) for one transaction | ("edit", {...}), ...] in the order they happened."""
    now = Followed(model.ABSENT, adopted(initial) if initial else None)
    orphans, left_behind = {}, {}
    for what, content in steps:
        if what == "edit":
            if now.row is not None and content.get("remove"):
                now.removed_by_edit = True
                orphans = united(hand_written(now.row), left_behind)
                if config.email_conflict == "link":
                    left_behind = united(left_behind, now.row.names)
            now.row = edited(now.row, content)
        elif content:
            step(now, content, orphans, config)
    return now


def outcomes_of(state, has_row, events):
    """The outcome of each event, by the table of the merge rule."""
    outcomes = []
    for event in events:
        if state == model.TOMBSTONE:
            outcomes.append({"stale"})
        elif event.kind == "deleted":
            outcomes.append({"deleted"})
        elif state == model.ABSENT:
            outcomes.append({"adopted"} if has_row else {"created"})
        elif not has_row:
            outcomes.append({"created"})
        elif event.kind == "seen" or event.version == state.version:
            outcomes.append({"duplicate"})
        else:
            outcomes.append({"updated", "unchanged"} if event.version > state.version else {"stale"})
        state, has_row = model.apply(state, event), event.kind != "deleted"
    return outcomes


def timelines(events, edits):
    """The steps of follow(), once for each possible order, and the edits whose time is unknown.
    `events`: [((step, store), Event) or (None, Event), ...]. What several stores do in one step they do in
    one transaction each, at the same time, in either order.
    """
    transactions = defaultdict(lambda: defaultdict(list))
    for moment, event in events:
        at, store = moment or (0, 0)
        transactions[at][store].append(event)
    orders = {(at, 0): [[("events", one) for one in order] for order in itertools.permutations(stores.values())]
              for at, stores in transactions.items()}
    between = []
    for edit in edits:
        if "step" in edit:
            orders.setdefault((edit["step"], 1), [[]])[0].append(("edit", edit))
        elif edit.get("when") in ("before", "after"):
            moment = (-1, 0) if edit["when"] == "before" else (float("inf"), 0)
            orders.setdefault(moment, [[]])[0].append(("edit", edit))
        else:
            between.append(edit)
    chosen = itertools.product(*(orders[moment] for moment in sorted(orders)))
    return [list(itertools.chain.from_iterable(one)) for one in chosen], between


def either(one, other):
    """What is allowed when the order of two histories is unknown. The state does not depend on it."""
    assert one.state == other.state
    row = one.row or other.row
    if one.row and other.row:
        fields = {name: both(getattr(one.row, name), getattr(other.row, name))
                  for name in ("blocked", "role", "full_name", "created_at_ms")}
        row = replace(one.row, names=united(one.row.names, other.row.names), **fields)
    gone = one.may_be_gone or other.may_be_gone or (one.row is None) != (other.row is None)
    return Followed(one.state, row, gone, one.removed_by_edit or other.removed_by_edit, one.outcomes)


def both(some, others):
    return ANYTHING if some is ANYTHING or others is ANYTHING else some | others


def step(now, events, orphans, config):
    before, row = now.state, now.row
    now.outcomes += outcomes_of(before, row is not None, events)
    if before == model.ABSENT and row is not None and row.origin == "adopted":
        before = model.Present(model.LOWEST_VERSION, desired_of_row(row))
        row.name_written = before.desired.full_name
        if any(event.kind != "deleted" for event in events):
            for kind in config.profile_types:
                row.names.setdefault(kind, {profile_name(before.desired)})
    now.state = model.fold(events, before)
    if now.state == model.TOMBSTONE:
        if before == model.TOMBSTONE:
            return
        existed = row is not None
        upserts = any(event.kind != "deleted" for event in events)
        now.row = None
        if config.delete_policy == "block" and (existed or upserts):
            now.row = emptied(row or inserted(model.Desired(), config), config)
            # Created and deleted in one transaction: there may never have been a row.
            now.may_be_gone = not existed
        return
    if row is None:
        now.row = kept_or_new(orphans, inserted(now.state.desired, config))
    elif now.state != before:
        now.row = written(row, before.desired.banned, now.state.desired, config)
