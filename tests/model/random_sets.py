"""Random sets of users, events, earlier rows, and an admin's edits. Each set has a namespace of
its own (a prefix of fixed width in ids and values), so that thousands of sets share transactions without interacting.
"""
import json
import random

FEATURES = ("conflicts", "links", "roles", "edits", "legacy-rows", "user-provisioning", "poison", "two-at-once")
BASE_MS = 1_750_000_000_000
RECORD_MS = BASE_MS + 10_000_000  # Kafka's own time of every record
HOUR_MS = 3_600_000
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
ROLE_MAP = {"from": "role", "map": {"admin": "editor", "staff": "authenticated"},
            "precedence": ["admin", "staff"], "default": "authenticated", "allowed": ["authenticated", "editor"]}


def prefix(number):
    text = ""
    for _ in range(5):
        number, digit = divmod(number, 36)
        text = DIGITS[digit] + text
    return "s" + text


def literal(value):
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    return "'" + value.replace("'", "''") + "'"


class RandomSet:
    """`records` have the round in which they are applied ("round"); so do `edits`, which follow that round."""

    def __init__(self, number, chance, without=(), events_max=6, rounds_max=3):
        self.name = prefix(number)
        self.chance = chance
        self.without = without
        self.records, self.edits, self.sql = [], [], []
        self.rounds = chance.randint(1, rounds_max)
        # Some ids end alike: their placeholders of one username would be equal.
        tails = chance.choice([("aaaaaa", "bbbbbb", "cccccc"), ("aaaaaa", "aaaaaa", "bbbbbb")])
        self.users = [f"user_{self.name}{letter}{tail}" for letter, tail in zip("xyz", tails)][:chance.randint(1, 3)]
        self.local_values = []
        if self.has("links") and chance.random() < 0.4:
            self.make_locals()
        if self.has("legacy-rows") and chance.random() < 0.15:
            self.make_legacy_row(chance.choice(self.users))
        self.make_events(events_max)
        if self.has("edits"):
            self.make_edits()

    def has(self, feature):
        return feature not in self.without

    # --- earlier rows

    def make_locals(self):
        emails = [f"{self.name}v0@example.com", f"{self.name}v1@example.com"]
        for n in range(self.chance.choice((1, 1, 1, 2))):
            twin = n == 1 and self.chance.random() < 0.2  # two local rows with one e-mail: no user is linked
            email = emails[0] if twin else emails[n]
            username = self.chance.choice([f"{self.name}local{n}", f"{self.name}n{n}"])
            self.insert_user(f"l{self.name}{n}".ljust(24, "0"), username, email, None, "local", "public", n == 0)

    def make_legacy_row(self, clerk_id):
        self.insert_user(f"d{clerk_id[5:]}".ljust(24, "0"), clerk_id, f"Legacy-{clerk_id}@Example.com", clerk_id, None,
                         "authenticated", self.chance.random() < 0.5)

    def insert_user(self, document_id, username, email, clerk_id, provider, role, profile):
        chance = self.chance
        secret = None if clerk_id else "$2a$10$secret"
        values = (document_id, username, email, provider, secret, chance.choice((None, "reset")), None,
                  chance.random() < 0.2, clerk_id, "Legacy Name" if clerk_id else None, chance.choice((None, "en")))
        self.sql.append(
            "insert into up_users (document_id, username, email, provider, password, reset_password_token, "
            "confirmation_token, blocked, clerk_id, full_name, locale, confirmed, created_at, updated_at, published_at) values ("
            + ", ".join(map(literal, values)) + ", true, '2024-01-01', '2024-01-01', '2024-01-01')")
        mine = f"u.document_id = {literal(document_id)}"
        self.sql.append("insert into up_users_role_lnk (user_id, role_id, user_ord) select u.id, r.id, 1 "
                        f"from up_users u, up_roles r where {mine} and r.type = {literal(role)}")
        if profile:
            self.sql.append(
                "with p as (insert into user_profiles (document_id, name, created_at, updated_at, published_at) values ("
                f"{literal('p' + document_id[1:])}, {literal(chance.choice(('Own Name', 'Legacy Name')))}, "
                "'2024-01-01', '2024-01-01', '2024-01-01') returning id) insert into user_profiles_user_lnk "
                f"(user_profile_id, user_id) select p.id, u.id from p, up_users u where {mine}")

    # --- events

    def make_events(self, events_max):
        chance = self.chance
        for n in range(chance.randint(2, events_max)):
            clerk_id = chance.choice(self.users)
            kinds = ["created", "updated", "updated", "updated", "snapshot"]
            if chance.random() < 0.25:
                kinds = ["deleted"]
            elif self.has("user-provisioning") and chance.random() < 0.15:
                kinds = ["seen"]
            record = self.event(clerk_id, chance.choice(kinds), n)
            if self.has("poison") and chance.random() < 0.03:
                record = self.poisoned(record)
            self.records += [record] * (2 if chance.random() < 0.15 else 1)
        chance.shuffle(self.records)
        self.records = [dict(record, round=chance.randrange(self.rounds)) for record in self.records]

    def event(self, clerk_id, kind, n):
        chance = self.chance
        updated_at = BASE_MS + 1000 * chance.randint(0, 3)
        timestamp = updated_at + 1000 * chance.randint(0, 1)
        if kind != "deleted":
            data = self.user(clerk_id, updated_at, kind)
        else:
            data = {"id": clerk_id, "object": "user", "deleted": True}
            if chance.random() < 0.2:
                timestamp = RECORD_MS + 100 * HOUR_MS  # a deletion is never rejected for its time
        envelope = {"data": data, "object": "event", "type": f"user.{kind}", "instance_id": "ins_1",
                    "timestamp": timestamp // 1000 if chance.random() < 0.1 else timestamp}
        headers = {"ce_specversion": "1.0", "ce_id": f"msg_{self.name}{n if chance.random() < 0.95 else 0}",
                   "ce_source": "/clerk/ins_1", "ce_type": f"clerk.user.{kind}", "ce_subject": clerk_id,
                   "ce_dataschema": "urn:clerk-strapi-sync:user-event:1", "content-type": "application/json"}
        return {"key": clerk_id, "value": json.dumps(envelope), "headers": headers, "timestamp": RECORD_MS}

    def user(self, clerk_id, updated_at, kind):
        chance = self.chance
        verifications = (None,) if kind == "seen" else ({"status": "verified"}, {"status": "unverified"}, None)
        addresses = [{"id": f"idn_{i}", "email_address": self.email(clerk_id),
                      "verification": chance.choice(verifications)}
                     for i in range(chance.choice((0, 1, 1, 1, 2)))]
        data = {"id": clerk_id, "object": "user", "username": self.username(clerk_id), "email_addresses": addresses,
                "primary_email_address_id": chance.choice((None, "idn_0", "idn_1", "idn_gone")),
                "first_name": chance.choice((None, "", " Ada ", "Ada\0", "Zoë \U0001F469\u200D\U0001F680", "L" * 300)),
                "last_name": chance.choice((None, " ", "Lovelace", "\tO'Neil\n")),
                "banned": chance.random() < 0.25, "created_at": BASE_MS - 86_400_000, "updated_at": updated_at,
                "unsafe_metadata": {"role": "admin"}, "locked": chance.random() < 0.2}
        if chance.random() < 0.1:
            data["deprovisioned"] = True
        if self.has("roles"):
            data["public_metadata"] = {"role": chance.choice(("admin", "staff", "root", "__proto__",
                ["unknown", "admin"], 7, None))}
        return data

    def email(self, clerk_id):
        chance = self.chance
        own = f"{clerk_id}.{chance.randint(0, 1)}@example.com"
        shared = f"{self.name}v{chance.randint(0, 1)}@example.com"
        address = shared if self.has("conflicts") and chance.random() < 0.7 else own
        return address if chance.random() < 0.7 else address.replace("example.com", "Example.COM")

    def username(self, clerk_id):
        chance = self.chance
        if not self.has("conflicts"):
            return chance.choice((None, f"{clerk_id}_{chance.randint(0, 1)}", f"Mixed{clerk_id}"))
        name = f"{self.name}n{chance.randint(0, 1)}"
        other = chance.choice(self.users)
        return chance.choice((None, name, name, name, f"{self.name}v{chance.randint(0, 1)}@example.com",
            f"{name}-{other[-6:]}", f"own{clerk_id}"))

    def poisoned(self, record):
        record = dict(record, headers=dict(record["headers"]))
        kind = self.chance.choice(("key", "other key", "json", "type", "version", "twice", "contradiction", "future"))
        if kind == "key":
            record["key"] = None
        elif kind == "other key":
            record["key"] = f"user_{self.name}other"
        elif kind == "json":
            record["value"] = record["value"][:-1]
        elif kind == "type":
            record["headers"]["ce_type"] = "clerk.user.renamed"
        elif kind == "version":
            record["headers"]["ce_dataschema"] = "urn:clerk-strapi-sync:user-event:2"
        elif kind == "twice":
            record["value"] = record["value"].replace('{"data"', '{"type": "user.updated", "data"', 1)
        elif kind == "contradiction":
            deletes = '"user.deleted"' in record["value"]
            record["headers"]["ce_type"] = "clerk.user.updated" if deletes else "clerk.user.deleted"
        elif '"updated_at": ' in record["value"] and record["headers"]["ce_type"] != "clerk.user.seen":
            body = json.loads(record["value"])
            body["data"]["updated_at"] = RECORD_MS + HOUR_MS + 1
            record["value"] = json.dumps(body)
        return record

    # --- an admin

    def make_edits(self):
        chance = self.chance
        for at in range(self.rounds):
            if chance.random() < 0.2:
                edit = chance.choice(({"set": {"blocked": True}}, {"set": {"blocked": False}},
                    {"set": {"password": "$2a$10$other"}},
                                      {"set": {"locale": "fr"}}, {"set": {"full_name": "By Hand"}}, {"role": "public"},
                                      {"profile": "My own"}, {"remove": True}))
                self.edits.append(dict(edit, clerk_id=chance.choice(self.users), round=at))


def edit_sql(edit):
    mine = f"clerk_id = {literal(edit['clerk_id'])}"
    if edit.get("remove"):
        return f"delete from up_users where {mine}"
    if "role" in edit:
        role = literal(edit["role"])
        return (f"update up_users_role_lnk set role_id = (select id from up_roles where type = {role}) "
                f"where user_id in (select id from up_users where {mine})")
    if "profile" in edit:
        return "; ".join(
            f"update {kind}s set name = {literal(edit['profile'])} where id in (select l.{kind}_id "
            f"from {kind}s_user_lnk l join up_users u on u.id = l.user_id where u.{mine})" for kind in ("user_profile", "member_profile"))
    changes = ", ".join(f"{column} = {literal(value)}" for column, value in edit["set"].items())
    return f"update up_users set {changes} where {mine}"


def environment_of(chance, without):
    """One configuration for many sets."""
    values = {"EMAIL_CONFLICT": "link" if "links" not in without and chance.random() < 0.7 else "placeholder",
              "DELETE_POLICY": chance.choice(("delete", "delete", "block")),
              "PLACEHOLDER_EMAIL_DOMAIN": chance.choice(("clerk.user", "unknown.example.org"))}
    if "roles" not in without and chance.random() < 0.7:
        values["ROLE_MAP"] = json.dumps(ROLE_MAP)
    return values


def chance_of(seed, *what):
    return random.Random("/".join(map(str, (seed, *what))))
