"""From a record of the topics to an event, and from a Clerk User object to desired values. Raises Parked for what can
never be applied, without the dead letter's reason.
"""
import hashlib
import json
import re

import model

FUTURE_MAX_MS = 3_600_000
FIRST_TIME_MS = 978_307_200_000  # 2001
LAST_TIME_MS = 253_402_300_800_000  # 10000
BLANK = " \t\n\r\v\f"


class Parked(Exception):
    """The record can never be applied."""


# --- from a Clerk User object to desired values

def text_value(value):
    """A text as PostgreSQL can store it: without U+0000."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise Parked("a text is something else")
    return value.replace("\0", "\N{REPLACEMENT CHARACTER}") or None


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


def desired_of(user, provisioning=False):
    """A token proves neither an address nor a role: a provisioning record has neither a verified e-mail nor metadata."""
    address = chosen_email(user)
    created_at = user.get("created_at")
    return model.Desired(
        email=text_value(model.lower_email(address["email_address"])) if address else None,
        email_verified=bool(address) and is_verified(address) and not provisioning,
        username=text_value(user.get("username")),
        full_name=full_name_of(user),
        banned=bool(user.get("banned") or user.get("deprovisioned")),
        created_at_ms=None if created_at is None else milliseconds(created_at),
        metadata=json.dumps({} if provisioning else user.get("public_metadata") or {}, sort_keys=True),
    )


# --- from a record to an event

def members_once(pairs):
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Parked("a name occurs twice in one object")
    return found


def parse_body(value):
    try:
        text = value.decode("utf-8") if isinstance(value, bytes) else value
        body = json.loads(text, object_pairs_hook=members_once, parse_constant=refuse)
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


def decode_record(record, config=model.Config()):
    """A record {key, value, headers, timestamp} as an model.Event; raises Parked for one that can never be applied."""
    if not record.get("value") or not record.get("key"):
        raise Parked("no key or no value")
    headers = header_values(record["headers"])
    kind = headers["ce_type"].removeprefix("clerk.user.")
    if kind not in model.KINDS or not headers["ce_type"].startswith("clerk.user."):
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
        return model.Event(kind, clerk_id)
    if kind == "seen":
        return model.Event(kind, clerk_id, model.LOWEST_VERSION, desired_of(body["data"], provisioning=True))
    return model.Event(kind, clerk_id, version_of(record, headers, kind, body), desired_of(body["data"]))


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
