"""A dump as a faultless worker would leave it, made from the model alone: to test the checker without a database."""
import json

import history
import model
from checker import Checker, timestamp

AUTHENTICATED = {"id": 1, "type": "authenticated"}
EMPTY_COLUMNS = {name: None for name in ("password", "reset_password_token", "confirmation_token", "created_by_id", "updated_by_id", "locale")}
TIMES = {"created_at": "2024-01-01T00:00:00", "updated_at": "2024-01-01T00:00:00", "published_at": "2024-01-01T00:00:00"}


def local_row(id, email, username, **more):
    return {"id": id, "document_id": f"local{id}".ljust(24, "0"), "email": email, "username": username, "clerk_id": None,
            "full_name": None, "blocked": False, "confirmed": True, "provider": "local", **EMPTY_COLUMNS, **TIMES, **more}


def record(kind, clerk_id, version, offset, email=None, verified=True, username=None, name="Ada"):
    """A record of the topic, as the checker reads it."""
    addresses = [{"id": "a", "email_address": email, "verification": {"status": "verified" if verified else "unverified"}}] if email else []
    data = {"id": clerk_id, "first_name": name, "username": username, "email_addresses": addresses, "created_at": 1_750_000_000_000,
            "updated_at": 1_750_000_000_000 + version}
    body = {"type": f"user.{kind}", "timestamp": 1_750_000_000_000 + version, "data": {"id": clerk_id} if kind == "deleted" else data}
    headers = {"ce_specversion": "1.0", "ce_id": f"msg_{clerk_id}_{version}", "ce_type": f"clerk.user.{kind}"}
    return {"topic": "events", "partition": 0, "offset": offset, "key": clerk_id, "value": json.dumps(body), "headers": headers,
            "timestamp": 1_750_000_100_000}


def ideal_dump(records, locals=(), config=model.Config()):
    """No links: whoever wants to test one writes the dump's row by hand."""
    checker = Checker(records, {}, {"up_users": list(locals)}, (), config)
    checker.read_records()
    checker.follow_users()
    present = {id: one.state for id, one in checker.followed.items() if isinstance(one.state, model.Present)}
    given = model.claims(present, {row[name] for row in locals for name in ("email", "username")}, config)
    dump = {"up_users": list(locals), "up_users_role_lnk": [], "up_roles": [AUTHENTICATED, {"id": 2, "type": "public"}],
            "clerk_sync.user_state": [], "clerk_sync.next_offset": [{"topic": "events", "partition": 0, "value": len(records)}]}
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
        wishes, version = state.wishes, state.version
        row |= {"updated_at_ms": version[0], "event_ms": version[1], "event_id": version[2], "body_hash": "\\x" + version[3].hex(),
                "email": wishes.email, "email_verified": wishes.email_verified, "username": wishes.username,
                "full_name": wishes.full_name, "banned": wishes.banned, "strapi_id": number}
    return row


def add_user(dump, number, clerk_id, given, followed, config):
    wishes = followed.state.wishes
    created_at = {"created_at": timestamp(wishes.created_at_ms)} if wishes.created_at_ms else {}
    dump["up_users"].append(local_row(number, given[0], given[1], clerk_id=clerk_id, provider="clerk", blocked=wishes.banned,
                                      full_name=model.cut(wishes.full_name), document_id=f"d{number}".ljust(24, "0")) | created_at)
    dump["up_users_role_lnk"].append({"user_id": number, "role_id": 1, "user_ord": 1})
    for kind in config.profile_types:
        name = history.profile_name(wishes)
        dump[kind].append({"id": number, "name": "SwiftTiger4821" if name == history.GENERATED else name})
        dump[f"{kind}_user_lnk"].append({kind.removesuffix("s") + "_id": number, "user_id": number})
