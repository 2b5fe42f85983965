"""The entries of an address book. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from pydantic import MISSING

from generated import models as m
from generated import views as v
from handlers.addresses.postal import FIELDS, Examined, Issue
from handlers.platform.errors import Problem, unprocessable

Json = dict[str, Any]

MAX_ENTRIES: Final = 50
TYPES: Final = ("shipping", "billing")


def given(body: m.AddressCreate | m.AddressInput | m.AddressUpdate) -> dict[str, str | None]:
    """The fields of an address that a request has."""
    values = {name: getattr(body, name) for name in FIELDS}
    return {name: value for name, value in values.items() if value is not MISSING}


def changed_fields(entry: Mapping[str, Any], body: m.AddressUpdate) -> dict[str, str]:
    """The address after a change: a given field replaces, null clears."""
    after = {name: entry[name] for name in FIELDS if name in entry} | given(body)
    return {name: value for name, value in after.items() if value is not None}


def possible(found: Examined) -> dict[str, str]:
    """The address in normal form, for a book. Raises `Problem` 422. Where we do not deliver, people may live."""
    errors = [issue for issue in found.errors if issue.code != "not_served"]
    if errors:
        raise refused(errors)
    return found.address


def deliverable(found: Examined) -> dict[str, str]:
    """The address in normal form, for a parcel. Raises `Problem` 422 `address_invalid`, `destination_not_served`."""
    address = possible(found)
    if found.errors:
        raise unprocessable("We do not deliver there", "destination_not_served", country=address["country"])
    return address


def refused(errors: Sequence[Issue]) -> Problem:
    """422 with every error and its place."""
    faults = [{"in": "body", "path": f"/{issue.field}", "message": issue.message} for issue in errors]
    return unprocessable("The address cannot be right", "address_invalid", faults=faults)


def new_entry(user_id: str, address_id: str, kind: str, address: Mapping[str, str], now: str) -> Json:
    """The document of a new entry, not a default yet."""
    return {
        "id": address_id,
        "address_id": address_id,
        "user_id": user_id,
        "type": kind,
        "is_default": False,
        **address,
        "created_at": now,
        "updated_at": now,
    }


def changed_entry(entry: Json, body: m.AddressUpdate, address: Mapping[str, str], now: str) -> Json:
    """The document after a change. One that moves to another type is no default there by that."""
    kind = body.type if body.type is not MISSING else entry["type"]
    kept = {name: value for name, value in entry.items() if name not in FIELDS}
    after = {**kept, **address, "type": kind, "is_default": entry["is_default"] and kind == entry["type"]}
    return {**after, "updated_at": now} if after != entry else entry


def arranged(entries: Iterable[Json], now: str, *, first: str | None = None, last: str | None = None) -> list[Json]:
    """The entries with exactly one default for each type that has any.

    `first` becomes it; `last` does not, unless it is alone; else it stays, or is the newest.
    """
    known = list(entries)
    chosen = {kind: _default(known, kind, first, last) for kind in TYPES}
    return [_flagged(entry, entry["address_id"] == chosen[entry["type"]], now) for entry in known]


def _default(entries: Sequence[Json], kind: str, first: str | None, last: str | None) -> str | None:
    def rank(entry: Json) -> tuple[bool, bool, bool, str, str]:
        address_id = entry["address_id"]
        return address_id == first, address_id != last, entry["is_default"], entry["created_at"], address_id

    of_kind = [entry for entry in entries if entry["type"] == kind]
    return max(of_kind, key=rank)["address_id"] if of_kind else None


def _flagged(entry: Json, is_default: bool, now: str) -> Json:
    return entry if entry["is_default"] == is_default else {**entry, "is_default": is_default, "updated_at": now}


def in_order(entries: Iterable[Json]) -> list[Json]:
    """The defaults first, then the newest."""
    return sorted(entries, key=lambda each: (each["is_default"], each["created_at"], each["address_id"]), reverse=True)


def entry_view(entry: Mapping[str, Any]) -> v.AddressBookEntry:
    """An entry as its owner sees it."""
    hidden = ("id", "user_id")
    view: v.AddressBookEntry = {name: value for name, value in entry.items() if name not in hidden}  # type: ignore[assignment]  # the document has the contract's names
    return view


def validation_view(found: Examined) -> v.AddressValidation:
    """What we think of an address."""
    normalized: v.Address = {**found.address}  # type: ignore[typeddict-item]  # its fields are the contract's
    return {
        "valid": not found.errors,
        "normalized": normalized,
        "issues": [
            {"path": f"/{each.field}", "code": each.code, "severity": each.severity, "message": each.message}
            for each in found.issues
        ],
    }
