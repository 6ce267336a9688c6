"""The reference model: what Clerk's events must make of a user, told in Python and apart from the worker.

A state is ABSENT, TOMBSTONE or Present(version, wishes); fold() joins events into it, so that it depends on the set
of events alone (I2, I3). Wishes are what one Clerk User object asks for; claims() says who gets which e-mail and
username, as a pure function of everybody who asks and of what local users hold. What also depends on the order of
things (an admin's edits, rows that were there before) is history.py's.
"""
import hashlib
import json
import re
from dataclasses import dataclass, field

COLUMN_MAX_CHARACTERS = 255
FUTURE_MAX_MS = 3_600_000
FIRST_TIME_MS = 978_307_200_000  # 2001
LAST_TIME_MS = 253_402_300_800_000  # 10000
BLANK = " \t\n\r\v\f"
KINDS = ("created", "updated", "deleted", "seen", "snapshot")
LOWEST_VERSION = (0, 0, "", bytes(32))  # of a first sight, and of a row that was there before us


class Parked(Exception):
    """The record can never be applied."""


@dataclass(frozen=True)
class RoleMap:
    source: str  # which member of public_metadata speaks of roles
    roles: dict
    precedence: tuple
    default: str | None
    allowed: tuple

    @staticmethod
    def parse(text):
        if not text:
            return None
        told = json.loads(text)
        return RoleMap(told["from"], told["map"], tuple(told.get("precedence", ())), told.get("default"),
                       tuple(told["allowed"]))


@dataclass(frozen=True)
class Config:
    """The worker's own variables, under their own names."""
    email_conflict: str = "link"
    delete_policy: str = "delete"
    placeholder_domain: str = "clerk.user"
    role_map: RoleMap | None = None
    default_role: str = "authenticated"  # Strapi's own
    profile_types: tuple = ("user_profiles", "member_profiles")
    instances: tuple = ()

    @staticmethod
    def of(environment):
        return Config(environment.get("EMAIL_CONFLICT") or "link", environment.get("DELETE_POLICY") or "delete",
                      environment.get("PLACEHOLDER_EMAIL_DOMAIN") or "clerk.user",
                      RoleMap.parse(environment.get("ROLE_MAP")))


@dataclass(frozen=True)
class Wishes:
    email: str | None = None
    email_verified: bool = False
    username: str | None = None
    full_name: str | None = None
    banned: bool = False
    created_at_ms: int | None = None
    metadata: str = "{}"  # public_metadata as JSON, of which only the role map reads

    def wanted_username(self, clerk_id):
        return self.username or self.email or clerk_id


@dataclass(frozen=True)
class Event:
    kind: str
    clerk_id: str
    version: tuple = LOWEST_VERSION
    wishes: Wishes = field(default_factory=Wishes)


# --- states

@dataclass(frozen=True)
class Present:
    version: tuple
    wishes: Wishes


ABSENT = "absent"
TOMBSTONE = "tombstone"


def apply(state, event):
    """The rule of merging. Strictly newer wins; a first sight tells only about somebody unknown."""
    if state == TOMBSTONE or event.kind == "deleted":
        return TOMBSTONE
    if state == ABSENT or event.version > state.version:
        return Present(event.version, event.wishes)
    return state


def fold(events, state=ABSENT):
    for event in events:
        state = apply(state, event)
    return state


# --- from a Clerk User object to wishes

def text_value(value):
    """A text as PostgreSQL can hold it: it has no U+0000."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise Parked("a text is something else")
    return value.replace("\0", "\N{REPLACEMENT CHARACTER}") or None


def cut(text):
    """As it stands in Strapi's varchar(255), which counts characters. Our own state keeps the whole."""
    return None if text is None else text[:COLUMN_MAX_CHARACTERS]


def lower_email(address):
    """Letters of ASCII only: the worker's stated choice. Addresses beyond ASCII are kept as they are."""
    return "".join(chr(ord(c) + 32) if "A" <= c <= "Z" else c for c in address)


def chosen_email(user):
    addresses = user.get("email_addresses") or []
    primary = user.get("primary_email_address_id")
    for address in addresses:
        if primary is not None and address.get("id") == primary:
            return address
    verified = [address for address in addresses if is_verified(address)]
    return (verified or addresses or [None])[0]


def is_verified(address):
    return (address.get("verification") or {}).get("status") == "verified"


def full_name_of(user):
    parts = [(user.get(name) or "").strip(BLANK) for name in ("first_name", "last_name")]
    return text_value(" ".join(part for part in parts if part))


def milliseconds(time):
    if isinstance(time, bool) or not isinstance(time, int):
        raise Parked("a time is no integer")
    return time * 1000 if abs(time) < 100_000_000_000 else time


def wishes_of(user, first_sight=False):
    address = chosen_email(user)
    created_at = user.get("created_at")
    return Wishes(
        email=text_value(lower_email(address["email_address"])) if address else None,
        email_verified=bool(address) and is_verified(address) and not first_sight,
        username=text_value(user.get("username")),
        full_name=full_name_of(user),
        banned=bool(user.get("banned") or user.get("deprovisioned")),
        created_at_ms=None if created_at is None else milliseconds(created_at),
        metadata=json.dumps(user.get("public_metadata") or {}, sort_keys=True),
    )


# --- from a record to an event

def members_once(pairs):
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Parked("a name stands twice in one object")
    return found


def parse_body(value):
    try:
        text = value.decode("utf-8") if isinstance(value, bytes) else value
        body = json.loads(text, object_pairs_hook=members_once, parse_constant=lambda name: refuse(name))
        if "\\u" in text:
            json.dumps(body, ensure_ascii=False).encode("utf-8")  # half a surrogate pair is no text
    except (ValueError, RecursionError) as error:
        raise Parked("not JSON") from error
    if not isinstance(body, dict) or not isinstance(body.get("data"), dict):
        raise Parked("not an event")
    return body


def refuse(what):
    raise Parked(f"{what} is not JSON")


def header_values(headers):
    pairs = list(headers.items()) if isinstance(headers, dict) else [tuple(pair) for pair in headers]
    values = members_once(pairs)
    for name in ("ce_specversion", "ce_id", "ce_type"):
        if not values.get(name):
            raise Parked(f"{name} is missing")
    if values["ce_specversion"] != "1.0":
        raise Parked("another specversion")
    if values.get("ce_dataschema", "urn:clerk-strapi-sync:user-event:1") != "urn:clerk-strapi-sync:user-event:1":
        raise Parked("another version of the schema")
    if not values.get("content-type", "application/json").startswith("application/json"):
        raise Parked("another content type")
    return values


def decode_record(record, config=Config()):
    """A record {key, value, headers, timestamp} as an Event; raises Parked for one that can never be applied."""
    if not record.get("value") or not record.get("key"):
        raise Parked("no key or no value")
    headers = header_values(record["headers"])
    kind = headers["ce_type"].removeprefix("clerk.user.")
    if kind not in KINDS or not headers["ce_type"].startswith("clerk.user."):
        raise Parked("an unknown type")
    body = parse_body(record["value"])
    clerk_id = body["data"].get("id")
    if not isinstance(clerk_id, str) or not re.fullmatch(r"user_[A-Za-z0-9_-]{1,64}", clerk_id):
        raise Parked("no user id")
    if not (record["key"] == clerk_id == headers.get("ce_subject", clerk_id)) or body.get("type") != f"user.{kind}":
        raise Parked("key, headers and body do not agree")
    if config.instances and body.get("instance_id") not in config.instances:
        raise Parked("another instance")
    if kind == "deleted":
        return Event(kind, clerk_id)
    if kind == "seen":
        return Event(kind, clerk_id, LOWEST_VERSION, wishes_of(body["data"], first_sight=True))
    return Event(kind, clerk_id, version_of(record, headers, kind, body), wishes_of(body["data"]))


def version_of(record, headers, kind, body):
    value = record["value"] if isinstance(record["value"], bytes) else record["value"].encode()
    updated_at = milliseconds(body["data"].get("updated_at"))
    event_ms = milliseconds(body.get("timestamp"))
    for time in (updated_at, event_ms):
        if not FIRST_TIME_MS <= time < LAST_TIME_MS:
            raise Parked("a time that no clock showed")
        if time > record["timestamp"] + FUTURE_MAX_MS:
            raise Parked("a version of the future")
    return updated_at, event_ms, "" if kind == "snapshot" else headers["ce_id"], hashlib.sha256(value).digest()


# --- who gets what

def placeholder_email(clerk_id, config):
    return lower_email(f"{clerk_id}@{config.placeholder_domain}")


def placeholder_username(wanted, clerk_id):
    suffix = f"-{clerk_id[-6:]}"
    return wanted[:COLUMN_MAX_CHARACTERS - len(suffix)] + suffix


def by_strength(askers):
    """The one order of conflicts, strongest first: verified, then the newer version, then the smaller id.

    E-mails and usernames share it: a username is judged by whether its asker's e-mail is verified.
    """
    ids = sorted(askers)
    ids.sort(key=lambda clerk_id: askers[clerk_id].version, reverse=True)
    ids.sort(key=lambda clerk_id: not askers[clerk_id].wishes.email_verified)
    return ids


def claims(askers, held, config=Config()):
    """{clerk id: (email, username)} for {clerk id: Present}; `held` are the values of rows that are never displaced.

    Strapi compares either field against either, so one text belongs to one user, in whichever field.
    """
    ranked = by_strength(askers)
    wanted = {id: (cut(one.wishes.email), cut(one.wishes.wanted_username(id))) for id, one in askers.items()}
    owner = {text: None for text in held}
    for clerk_id in ranked:
        for text in wanted[clerk_id]:
            owner.setdefault(text, clerk_id)
    given = {}
    for clerk_id in ranked:
        email, username = wanted[clerk_id]
        if email is None or owner[email] != clerk_id:
            email = placeholder_email(clerk_id, config)
        if owner[username] != clerk_id:
            username = placeholder_username(username, clerk_id)
            if owner.setdefault(username, clerk_id) != clerk_id:
                username = clerk_id
        given[clerk_id] = (email, username)
    return given


def role_answer(wishes, config):
    """The type of the role that the map gives, or Strapi's default. Never one outside the allow-list."""
    role_map = config.role_map
    if role_map is None:
        return config.default_role
    default = role_map.default or config.default_role
    told = json.loads(wishes.metadata).get(role_map.source)
    values = [value for value in (told if isinstance(told, list) else [told]) if isinstance(value, str)]
    ranked = [value for value in role_map.precedence if value in values] + values
    for value in ranked:
        role = role_map.roles.get(value)
        if role in role_map.allowed:
            return role
    return default
