"""The reference model: the effect of Clerk's events on a user, in Python and independent of the worker.

A state is ABSENT, TOMBSTONE or Present(version, desired); fold() joins events into it, so that it depends on the set
of events alone (I2, I3). Desired values are those of one Clerk User object (records.py reads them); assign() decides
which user gets which e-mail and username, as a pure function of all desired values and of the local users' values.
history.py has what also depends on order (an admin's edits, earlier rows).
"""
import json
from dataclasses import dataclass, field

COLUMN_MAX_CHARACTERS = 255
KINDS = ("created", "updated", "deleted", "seen", "snapshot")
LOWEST_VERSION = (0, 0, "", bytes(32))  # of a provisioning record, and of an adopted row


@dataclass(frozen=True)
class RoleMap:
    source: str  # which member of public_metadata holds roles
    roles: dict
    precedence: tuple
    default: str | None
    allowed: tuple

    @staticmethod
    def parse(text):
        if not text:
            return None
        parsed = json.loads(text)
        return RoleMap(parsed["from"], parsed["map"], tuple(parsed.get("precedence", ())), parsed.get("default"),
                       tuple(parsed["allowed"]))


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
class Desired:
    email: str | None = None
    email_verified: bool = False
    username: str | None = None
    full_name: str | None = None
    banned: bool = False
    created_at_ms: int | None = None
    metadata: str = "{}"  # public_metadata as JSON; only the role map reads it

    def desired_username(self, clerk_id):
        return self.username or self.email or clerk_id


@dataclass(frozen=True)
class Event:
    kind: str
    clerk_id: str
    version: tuple = LOWEST_VERSION
    desired: Desired = field(default_factory=Desired)


# --- states

@dataclass(frozen=True)
class Present:
    version: tuple
    desired: Desired


ABSENT = "absent"
TOMBSTONE = "tombstone"


def apply(state, event):
    """The merge rule. Strictly newer wins; a provisioning record applies only to an absent user."""
    if state == TOMBSTONE or event.kind == "deleted":
        return TOMBSTONE
    if state == ABSENT or event.version > state.version:
        return Present(event.version, event.desired)
    return state


def fold(events, state=ABSENT):
    for event in events:
        state = apply(state, event)
    return state


# --- assigned values

def cut(text):
    """As in Strapi's varchar(255), which counts characters. Our own state keeps the full text."""
    return None if text is None else text[:COLUMN_MAX_CHARACTERS]


def lower_email(address):
    """As JavaScript's toLowerCase(), which Strapi applies to its users' addresses."""
    return address.lower()


def placeholder_email(clerk_id, config):
    return lower_email(f"{clerk_id}@{config.placeholder_domain}")


def placeholder_username(wanted, clerk_id):
    suffix = f"-{clerk_id[-6:]}"
    return wanted[:COLUMN_MAX_CHARACTERS - len(suffix)] + suffix


def by_strength(candidates, text=None):
    """The one order of conflicts, strongest first: verified, then the newer version, then the smaller id.

    E-mails and usernames share it: a username ranks by whether its user's e-mail is verified. For one `text`, users
    who have it as their verified address precede those who desire it as a username.
    """
    ids = sorted(candidates)
    ids.sort(key=lambda clerk_id: candidates[clerk_id].version, reverse=True)
    ids.sort(key=lambda clerk_id: not candidates[clerk_id].desired.email_verified)
    if text is not None:
        desired = {clerk_id: candidates[clerk_id].desired for clerk_id in ids}
        ids.sort(key=lambda clerk_id: not (desired[clerk_id].email_verified and cut(desired[clerk_id].email) == text))
    return ids


def assign(candidates, held, config=Config()):
    """{clerk id: (email, username)} for {clerk id: Present}; `held` are the values of local users, which stay.

    Strapi compares either field with either, so one text belongs to one user, in whichever field.
    """
    ranked = by_strength(candidates)
    desired = {id: (cut(one.desired.email), cut(one.desired.desired_username(id))) for id, one in candidates.items()}
    owner = {text: None for text in held}
    by_text = {}
    for clerk_id in ranked:
        for text in desired[clerk_id]:
            by_text.setdefault(text, {})[clerk_id] = candidates[clerk_id]
    for text, some in by_text.items():
        owner.setdefault(text, by_strength(some, text)[0])
    assigned = {}
    for clerk_id in ranked:
        email, username = desired[clerk_id]
        if email is None or owner[email] != clerk_id:
            email = placeholder_email(clerk_id, config)
        if owner[username] != clerk_id:
            username = placeholder_username(username, clerk_id)
            if owner.setdefault(username, clerk_id) != clerk_id:
                username = clerk_id
        assigned[clerk_id] = (email, username)
    return assigned


def role_answer(desired, config):
    """The type of the role that the map gives, or Strapi's default. Never one outside the allow-list."""
    role_map = config.role_map
    if role_map is None:
        return config.default_role
    default = role_map.default or config.default_role
    found = json.loads(desired.metadata).get(role_map.source)
    values = [value for value in (found if isinstance(found, list) else [found]) if isinstance(value, str)]
    ranked = [value for value in role_map.precedence if value in values] + values
    for value in ranked:
        role = role_map.roles.get(value)
        if role in role_map.allowed:
            return role
    return default
