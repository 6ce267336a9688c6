"""Which local row may belong to which Clerk user: EMAIL_CONFLICT=link makes a local row a Clerk user's.

Which of several users was linked depends on who came first while the row was still local, so a dump decides among
the allowed ones; that one of them must be linked is a rule. Everything else about a link is fixed.
"""
import copy
from collections import defaultdict

import history
import model

CREDENTIALS = ("password", "reset_password_token", "confirmation_token")


class Links:
    def __init__(self, before):
        self.before = before
        self.owners = {}  # local row's id: the Clerk user that it was linked to
        self.candidates = set()  # users who may have been linked to any row
        self.may_be_gone = set()  # local rows that may have been deleted with a linked user

    def cleared(self, row):
        return row["id"] in self.owners

    def changed(self, row, expected):
        """The expected values of this row, when it was a local one before."""
        if not self.cleared(row):
            return expected
        local = self.before.users[row["id"]]
        linked = copy.copy(expected)
        role = self.before.role_of(row["id"])
        linked.role = {role} if role else history.ANYTHING
        linked.names = {}
        linked.created_at_ms = history.ANYTHING
        if local["blocked"]:
            linked.blocked = {(True, False)}
        if expected.edited:  # of this row, or of the one that the link removed
            linked.blocked = {(True, False), (False, False)}
            linked.role = history.ANYTHING
        return linked


def find_links(checker):
    links = Links(checker.before)
    before = checker.before.locals()
    holders = defaultdict(list)
    for id, row in before.items():
        holders[row["email"]].append(id)
    candidates = verified_candidates(checker)
    for id, row in before.items():
        now = checker.after.users.get(id)
        linkable = len(holders[row["email"]]) == 1 and checker.config.email_conflict == "link"
        may = candidates[row["email"]] if linkable else set()
        links.candidates |= may
        if now is None:
            if any(lost_row(checker, clerk_id, id) for clerk_id in may):
                links.may_be_gone.add(id)
        elif now["clerk_id"] is not None:
            links.owners[id] = now["clerk_id"]
            if now["clerk_id"] not in may:
                checker.fault(now["clerk_id"], f"link to the local user {id}", "none", "one")
    for id, row in before.items():
        if len(holders[row["email"]]) == 1 and checker.config.email_conflict == "link" and id in checker.after.locals():
            must_be_linked(checker, links, id, row)
    return links


def verified_candidates(checker):
    """{e-mail: users with a verified event for it}. A provisioning record never counts."""
    candidates = defaultdict(set)
    for clerk_id, events in checker.events.items():
        for _, event in events:
            if event.kind not in ("deleted", "seen") and event.desired.email_verified:
                candidates[event.desired.email].add(clerk_id)
    return candidates


def lost_row(checker, clerk_id, local_id):
    """Deleted, removed by an admin, or linked to another local row."""
    followed = checker.followed[clerk_id]
    rows = checker.after.by_clerk_id[clerk_id]
    moved_on = any(row["id"] in checker.before.locals() and row["id"] != local_id for row in rows)
    return followed.state == model.TOMBSTONE or moved_on or followed.removed_by_edit


def must_be_linked(checker, links, id, row):
    if any(other["username"] == row["email"] for key, other in checker.before.locals().items() if key != id):
        return  # two local users have this text: any other match is no link
    desiring = {clerk_id: checker.followed[clerk_id].state for clerk_id in checker.desiring.get(row["email"], ())}
    for clerk_id in model.by_strength(desiring)[:1]:
        mine = checker.after.by_clerk_id[clerk_id]
        if len(mine) == 1 and gives_way(checker, clerk_id, mine[0]):
            checker.fault(clerk_id, f"link to the local user {id}", "one", "none")


def gives_way(checker, clerk_id, row):
    """Only a row that we created ourselves, and that was never edited, gives way to a local one."""
    found = {one["document_id"] for one in checker.before.users.values() if one["clerk_id"] == clerk_id}
    followed = checker.followed[clerk_id].row
    touched = followed is not None and followed.edited
    return row["document_id"] not in found and row["id"] not in checker.before.locals() and not touched
