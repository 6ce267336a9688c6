"""A dump of Strapi's tables and of clerk_sync, as {table: [row, ...]}, with the checker's queries."""
from collections import defaultdict
from datetime import datetime, timedelta

STATE_TABLES = ("clerk_sync.user_state", "clerk_sync.next_offset")


def tables_of(profile_types):
    tables = ["up_users", "up_users_role_lnk", "up_roles", *STATE_TABLES]
    for profiles in profile_types:
        tables += [profiles, f"{profiles}_user_lnk"]
    return tables


def timestamp(ms):
    """As PostgreSQL writes a timestamp(6) of UTC into JSON."""
    text = (datetime(1970, 1, 1) + timedelta(milliseconds=ms)).isoformat()
    return text.rstrip("0") if "." in text else text


class Site:
    def __init__(self, dump, profile_types):
        self.profile_types = profile_types
        self.users = {row["id"]: row for row in dump.get("up_users", [])}
        self.by_clerk_id = defaultdict(list)
        for row in self.users.values():
            if row["clerk_id"] is not None:
                self.by_clerk_id[row["clerk_id"]].append(row)
        self.states = {row["clerk_id"]: row for row in dump.get("clerk_sync.user_state", [])}
        self.offsets = {(row["topic"], row["partition"]): row["value"]
            for row in dump.get("clerk_sync.next_offset", [])}
        types = {row["id"]: row["type"] for row in dump.get("up_roles", [])}
        self.roles = defaultdict(list)
        for link in dump.get("up_users_role_lnk", []):
            self.roles[link["user_id"]].append(types.get(link["role_id"]))
        self.profiles = {kind: defaultdict(list) for kind in profile_types}
        self.orphans = {kind: [] for kind in profile_types}
        for kind in profile_types:
            self.read_profiles(kind, dump)

    def read_profiles(self, kind, dump):
        rows = {row["id"]: row for row in dump.get(kind, [])}
        column = kind.removesuffix("s") + "_id"
        for link in dump.get(f"{kind}_user_lnk", []):
            self.profiles[kind][link["user_id"]].append(rows.pop(link[column], None) or {})
        self.orphans[kind] = list(rows.values())

    def locals(self):
        return {id: row for id, row in self.users.items() if row["clerk_id"] is None}

    def role_of(self, user_id):
        return (self.roles[user_id] or [None])[0]

    def as_initial(self, row):
        """What history.follow() needs of an earlier row."""
        profiles = {kind: found[row["id"]][0].get("name") for kind, found in self.profiles.items() if found[row["id"]]}
        return {"row": row, "role": self.role_of(row["id"]), "profiles": profiles}

    def whole(self, user_id):
        """Everything that belongs to a user, without what only a database has (ids of links)."""
        profiles = {kind: sorted((sorted(row.items(), key=str) for row in found[user_id]), key=str)
                    for kind, found in self.profiles.items()}
        return {"row": self.users.get(user_id), "roles": sorted(map(str, self.roles[user_id])), "profiles": profiles}
