"""A dump as a faultless worker would leave it, made from the model alone: to test the checker without a database."""
import json

import history
import model
import site_dump
from checker import Checker

AUTHENTICATED = {"id": 1, "type": "authenticated"}
EMPTY = ("password", "reset_password_token", "confirmation_token", "created_by_id", "updated_by_id", "locale")
DEFAULTS = dict.fromkeys(EMPTY) | dict.fromkeys(("created_at", "updated_at", "published_at"), "2024-01-01T00:00:00")
BEGIN_MS = 1_750_000_000_000


def local_row(id, email, username, **more):
    row = {"id": id, "document_id": f"local{id}".ljust(24, "0"), "email": email, "username": username}
    flags = {"clerk_id": None, "full_name": None, "blocked": False, "confirmed": True, "provider": "local"}
    return row | flags | DEFAULTS | more


def record(kind, clerk_id, version, offset, email=None, verified=True, username=None, name="Ada"):
    """A record of the topic, as the checker reads it."""
    address = {"id": "a", "email_address": email, "verification": {"status": "verified" if verified else "unverified"}}
    data = {"id": clerk_id}
    if kind != "deleted":
        data |= {"first_name": name, "username": username, "email_addresses": [address] if email else [],
                 "created_at": BEGIN_MS, "updated_at": BEGIN_MS + version}
    body = {"type": f"user.{kind}", "timestamp": BEGIN_MS + version, "data": data}
    headers = {"ce_specversion": "1.0", "ce_id": f"msg_{clerk_id}_{version}", "ce_type": f"clerk.user.{kind}"}
    return {"topic": "events", "partition": 0, "offset": offset, "timestamp": BEGIN_MS + 100_000,
            "key": clerk_id, "value": json.dumps(body), "headers": headers}


def ideal_dump(records, locals=(), config=model.Config()):
    """No links: a test of one writes the dump's row itself."""
    checker = Checker(records, {}, {"up_users": list(locals)}, (), config)
    checker.read_records()
    checker.follow_users()
    present = {id: one.state for id, one in checker.followed.items() if isinstance(one.state, model.Present)}
    given = model.assign(present, {row[name] for row in locals for name in ("email", "username")}, config)
    dump = {"up_users": list(locals), "up_users_role_lnk": [], "up_roles": [AUTHENTICATED, {"id": 2, "type": "public"}],
            "clerk_sync.user_state": [],
            "clerk_sync.next_offset": [{"topic": "events", "partition": 0, "value": len(records)}]}
    for kind in config.profile_types:
        dump[kind], dump[f"{kind}_user_lnk"] = [], []
    for number, (clerk_id, followed) in enumerate(sorted(checker.followed.items()), start=100):
        dump["clerk_sync.user_state"].append(state_row(clerk_id, number, followed.state))
        if clerk_id in given:
            add_user(dump, number, clerk_id, given[clerk_id], followed, config)
    return dump


def state_row(clerk_id, number, state):
    row = {"clerk_id": clerk_id, "tombstone": state == model.TOMBSTONE}
    if state != model.TOMBSTONE:
        desired, version = state.desired, state.version
        row |= {"updated_at_ms": version[0], "event_ms": version[1], "event_id": version[2],
                "body_hash": "\\x" + version[3].hex(),
                "email": desired.email, "email_verified": desired.email_verified, "username": desired.username,
                "full_name": desired.full_name, "banned": desired.banned, "strapi_id": number}
    return row


def add_user(dump, number, clerk_id, given, followed, config):
    desired = followed.state.desired
    created_at = {"created_at": site_dump.timestamp(desired.created_at_ms)} if desired.created_at_ms else {}
    ours = {"clerk_id": clerk_id, "provider": "clerk", "blocked": desired.banned, "full_name": model.cut(desired.full_name)}
    dump["up_users"].append(local_row(number, given[0], given[1], **ours) | created_at)
    dump["up_users_role_lnk"].append({"user_id": number, "role_id": 1, "user_ord": 1})
    for kind in config.profile_types:
        name = history.profile_name(desired)
        dump[kind].append({"id": number, "name": "SwiftTiger4821" if name == history.GENERATED else name})
        dump[f"{kind}_user_lnk"].append({kind.removesuffix("s") + "_id": number, "user_id": number})
