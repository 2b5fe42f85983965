"""Uniqueness and look-ups over partitions.

Unique keys hold inside one partition only, so what must be unique everywhere is a document of its own whose id is the
value (decision 21). The order of steps:

    claim  ->  write the owner's document  ->  confirm      (`claimed` does all three)

* The write fails for certain: `release`.
* The process dies in between, or the write's outcome is unknown: the claim stays `pending`. It is settled by whoever
  wants the value next: a claim that has been pending for longer than `GRACE` is checked with `holds(owner)`, which asks
  the owner's own document whether it carries the value. If it does, the claim stands; if not, it is taken over.
* A writer that was only slow, and whose claim was taken over meanwhile, learns it from `confirm` (`ClaimTaken`) and
  must undo its write.

A look-up says in which partition a document is that is known by another id or number (decision 22): one point read.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final

from handlers.platform.clock import Clock, SystemClock, moment, timestamp
from handlers.platform.store.port import (
    Create,
    Delete,
    Document,
    DocumentExists,
    DocumentMissing,
    DocumentStore,
    Eq,
    Json,
    OutcomeUnknown,
    Patch,
    Replace,
    StoreError,
    StoreUnavailable,
    Upsert,
    VersionConflict,
)

CLAIMS: Final = "unique_claims"
LOOKUPS: Final = "lookups"
GRACE: Final = timedelta(seconds=60)

Holds = Callable[[str], Awaitable[bool]]

log = logging.getLogger(__name__)

_PLAIN: Final = re.compile(r"[^A-Za-z0-9@.+_=:!$&'*,;()\- ]")
_LONGEST: Final = 200
_ATTEMPTS: Final = 4


class ClaimTaken(DocumentExists):
    """The value is another owner's. `owner` says whose, where that is known."""

    def __init__(self, kind: str, owner: str | None) -> None:
        super().__init__(f"this {kind} is taken")
        self.owner = owner


async def claim(
    store: DocumentStore, kind: str, value: str, owner: str, *, clock: Clock | None = None, holds: Holds | None = None
) -> None:
    """Makes `value` the owner's, pending until `confirm`. Claiming one's own again is fine. Raises `ClaimTaken`.

    `value` must be in its normal form (case, spaces); `holds(owner)` verifies a claim that a crash left pending,
    without it such a claim counts as taken.
    """
    key, now = key_of(kind, value), (clock or SystemClock()).now()
    document = {"id": key, "claim": key, "owner": owner, "state": "pending", "claimed_at": timestamp(now)}
    for _ in range(_ATTEMPTS):
        try:
            await store.write(CLAIMS, Create(document))
        except DocumentExists:
            standing = await store.read(CLAIMS, key, key)
        else:
            return
        if standing is None:
            continue  # released between our two steps: try again
        if standing.data["owner"] == owner:
            return
        if holds is None or not _is_stale(standing, clock) or await holds(standing.data["owner"]):
            raise ClaimTaken(kind, standing.data["owner"])
        if await _take_over(store, document, standing):
            return
    raise StoreUnavailable(f"the claim of this {kind} is contested")


async def confirm(store: DocumentStore, kind: str, value: str, owner: str) -> None:
    """Marks the claim as backed by its owner's document. Raises `ClaimTaken` when it is no longer the owner's."""
    key = key_of(kind, value)
    patch = Patch(key, sets={"state": "held"}, condition=Eq("owner", owner))
    try:
        await store.write(CLAIMS, patch, partition=key)
    except (DocumentMissing, VersionConflict) as error:
        raise ClaimTaken(kind, None) from error


async def doubt(store: DocumentStore, kind: str, value: str, owner: str, *, clock: Clock | None = None) -> None:
    """Marks the owner's claim as pending again, before a write that may give the value up (an address that changes).

    Then a crash between that write and `release` leaves no value blocked: it is settled by verification. `confirm` when
    the write did not happen. Nothing happens when the claim is not the owner's.
    """
    key = key_of(kind, value)
    now = timestamp((clock or SystemClock()).now())
    patch = Patch(key, sets={"state": "pending", "claimed_at": now}, condition=Eq("owner", owner))
    try:
        await store.write(CLAIMS, patch, partition=key)
    except (DocumentMissing, VersionConflict):
        log.info("a claim was not its owner's when it was to be given up")


async def release(store: DocumentStore, kind: str, value: str, owner: str) -> None:
    """Gives the value free, if it is the owner's; otherwise nothing."""
    key = key_of(kind, value)
    standing = await store.read(CLAIMS, key, key)
    if standing is None or standing.data["owner"] != owner:
        return
    try:
        await store.write(CLAIMS, Delete(key, if_match=standing.etag), partition=key)
    except (DocumentMissing, VersionConflict):
        log.info("a claim changed while it was released")


async def owner_of(store: DocumentStore, kind: str, value: str) -> str | None:
    """Whose the value is, pending claims included; None: nobody's."""
    key = key_of(kind, value)
    standing = await store.read(CLAIMS, key, key)
    return None if standing is None else str(standing.data["owner"])


@asynccontextmanager
async def claimed(
    store: DocumentStore, kind: str, value: str, owner: str, *, clock: Clock | None = None, holds: Holds | None = None
) -> AsyncIterator[None]:
    """Claims around the owner's write: released when the write fails, confirmed when it is done. Raises `ClaimTaken`.

    Where the outcome is unknown (cancelled, answer lost), the claim stays pending and is settled by verification.
    """
    await claim(store, kind, value, owner, clock=clock, holds=holds)
    try:
        yield
    except OutcomeUnknown:
        raise
    except Exception:
        await _release_quietly(store, kind, value, owner)
        raise
    try:
        await confirm(store, kind, value, owner)
    except ClaimTaken:
        raise
    except StoreError:
        log.warning("a %s claim stays pending: it could not be confirmed", kind)


async def put_lookup(store: DocumentStore, kind: str, value: str, target: Mapping[str, str]) -> None:
    """Notes where the document known as `value` is, such as `{"user_id": …}`; replaces what was noted."""
    key = key_of(kind, value)
    await store.write(LOOKUPS, Upsert({"id": key, "key": key, "target": dict(target)}))


async def get_lookup(store: DocumentStore, kind: str, value: str) -> dict[str, str] | None:
    """What `put_lookup` noted, or None."""
    key = key_of(kind, value)
    found = await store.read(LOOKUPS, key, key)
    return None if found is None else dict(found.data["target"])


async def drop_lookup(store: DocumentStore, kind: str, value: str) -> None:
    """Forgets a look-up; nothing happens when there is none."""
    key = key_of(kind, value)
    try:
        await store.write(LOOKUPS, Delete(key), partition=key)
    except DocumentMissing:
        return


def key_of(kind: str, value: str) -> str:
    """The id for a value: Cosmos allows neither / \\ ? # nor long ids, so other signs are written as ~hex."""
    plain = _PLAIN.sub(lambda match: "".join(f"~{byte:02x}" for byte in match[0].encode()), value)
    if len(plain) > _LONGEST:
        plain = "~~" + hashlib.sha256(value.encode()).hexdigest()
    return f"{kind}:{plain}"


def _is_stale(standing: Document, clock: Clock | None) -> bool:
    age = (clock or SystemClock()).now() - moment(standing.data["claimed_at"])
    return standing.data["state"] == "pending" and age > GRACE


async def _take_over(store: DocumentStore, document: Json, standing: Document) -> bool:
    try:
        await store.write(CLAIMS, Replace(document, if_match=standing.etag))
    except (DocumentMissing, VersionConflict):
        return False
    return True


async def _release_quietly(store: DocumentStore, kind: str, value: str, owner: str) -> None:
    """The write's own error matters more than that of the release; a claim left behind is settled by verification."""
    try:
        await release(store, kind, value, owner)
    except StoreError:
        log.warning("a %s claim stays pending: it could not be released", kind)
