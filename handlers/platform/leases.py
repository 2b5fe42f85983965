"""Leases in the document store: one process at a time does a piece of work, and only it takes notes of it.

Fenced by the document's etag: who has lost a lease, because it hung for longer than the lease lasts, finds out at its
next note, and its note is refused.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

from handlers.platform.process import has_ended, new_owner
from handlers.platform.store.port import (
    Create,
    Document,
    DocumentExists,
    DocumentMissing,
    DocumentStore,
    Json,
    Replace,
    StoreError,
    VersionConflict,
)

log = logging.getLogger(__name__)

T = TypeVar("T")

CONTAINER: Final = "leases"
_ATTEMPTS: Final = 2


class LeaseLost(Exception):
    """Another process has taken the work over."""


class Lease:
    """A lease on one piece of work. `seconds`: for how long it holds without a sign of life."""

    def __init__(self, store: DocumentStore, group: str, name: str, *, seconds: float = 30.0) -> None:
        self.seconds = seconds
        self._store = store
        self._key = (group, name)
        self._owner = new_owner()
        self._held: Document | None = None
        self._writing = asyncio.Lock()

    @property
    def note(self) -> Json:
        """What the holder noted last; empty in the beginning."""
        return dict(self._held.data["note"]) if self._held is not None else {}

    async def acquire(self) -> bool:
        """Takes the lease if it is free, has run out, or its holder's process has ended; never one that was ended."""
        group, name = self._key
        found = await self._store.read(CONTAINER, group, name)
        try:
            if found is None:
                document = {"id": name, "group": group, "epoch": 1, "note": {}, **self._mine()}
                self._held = await self._store.write(CONTAINER, Create(document))
            elif self._is_free(found.data):
                document = {**found.data, "epoch": found.data["epoch"] + 1, **self._mine()}
                self._held = await self._store.write(CONTAINER, Replace(document, if_match=found.etag))
            else:
                return False
        except (DocumentExists, DocumentMissing, VersionConflict):
            return False  # another was faster
        return True

    async def keep(self, note: Json | None = None) -> None:
        """Renews the lease, with a new note if there is one. Raises `LeaseLost`."""
        async with self._writing:
            if self._held is None:
                raise LeaseLost
            await self._change({**self._mine(), **({"note": note} if note is not None else {})})

    async def during(self, work: Coroutine[Any, Any, T]) -> T:
        """Does some work and renews the lease meanwhile, however long it takes.

        The work is ended, and `LeaseLost` raised, when another process has taken it over.
        """
        task, renewing = asyncio.ensure_future(work), asyncio.ensure_future(self._renew())
        try:
            await asyncio.wait({task, renewing}, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                await renewing  # it only ever ends by `LeaseLost`
            return await task
        finally:
            task.cancel()
            renewing.cancel()
            # What they came to has been said above; here they are only to be over.
            await asyncio.gather(task, renewing, return_exceptions=True)

    async def _renew(self) -> None:
        """Again and again. A store that is unavailable is asked again, for as long as the lease holds."""
        renewed = time.monotonic()
        while True:
            await asyncio.sleep(self.seconds / 3)
            try:
                await self.keep()
                renewed = time.monotonic()
            except StoreError as error:
                log.warning("a lease was not renewed", extra={"lease": self._key[1], "reason": type(error).__name__})
                if time.monotonic() - renewed > self.seconds:
                    raise LeaseLost from error

    async def release(self) -> None:
        """Gives the lease back, its note kept. Nothing happens when it is lost already."""
        async with self._writing:
            if self._held is None:
                return
            try:
                await self._change({"owner": "", "until": 0})
            except LeaseLost:
                return
            self._held = None

    def ending(self) -> Replace:
        """The write that ends the work for good, for a batch with what takes its place. Raises `LeaseLost`."""
        if self._held is None:
            raise LeaseLost
        return Replace({**self._held.data, "owner": "", "until": 0, "ended": True}, if_match=self._held.etag)

    async def _change(self, changes: Json) -> None:
        """Writes to the lease, again after a conflict with a write of our own, whose answer was lost."""
        for _ in range(_ATTEMPTS):
            assert self._held is not None  # noqa: S101 - the callers have looked
            try:
                document = {**self._held.data, **changes}
                self._held = await self._store.write(CONTAINER, Replace(document, if_match=self._held.etag))
            except (DocumentMissing, VersionConflict) as error:
                await self._check_own(error)
            else:
                return

    async def _check_own(self, error: Exception) -> None:
        """A conflict with a write of our own, whose answer was lost, is none."""
        group, name = self._key
        found = await self._store.read(CONTAINER, group, name)
        if found is None or found.data["owner"] != self._owner:
            self._held = None
            raise LeaseLost from error
        self._held = found

    def _mine(self) -> Json:
        return {"owner": self._owner, "until": int((time.time() + self.seconds) * 1000)}

    def _is_free(self, document: Json) -> bool:
        return not has_been_ended(document) and bool(
            document["until"] <= time.time() * 1000 or document["owner"] == self._owner or has_ended(document["owner"])
        )


def has_been_ended(document: Json) -> bool:
    """Whether a lease's work is over for good (`Lease.ending`)."""
    return bool(document.get("ended"))


def beginning(group: str, name: str, note: Json, before: Document | None = None) -> Create | Replace:
    """The write that makes a lease nobody holds yet, in place of one that was ended if there is one."""
    epoch = before.data["epoch"] if before is not None else 0
    document: Json = {"id": name, "group": group, "epoch": epoch, "note": note, "owner": "", "until": 0}
    return Create(document) if before is None else Replace(document, if_match=before.etag)
