"""Signs of life of processes in the document store: how a process learns that one on another machine has ended.

Each process replaces a small document every second. One that has been silent for some seconds is watched for longer
than a beat before it counts as ended, so that clocks which differ end nobody who still beats.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from contextlib import suppress
from typing import Final, Literal

from handlers.platform.leases import CONTAINER
from handlers.platform.process import has_ended, new_owner
from handlers.platform.store.port import DocumentStore, Json, StoreError, Upsert

EVERY: Final = 1.0  # seconds
SILENT: Final = 3.0  # seconds without a beat before a process is watched
WATCH: Final = 1.5 * EVERY
GROUP: Final = "processes"
TTL: Final = 3600  # seconds; who asks about a process does so within minutes

Life = Literal["alive", "ended", "unknown"]

log = logging.getLogger(__name__)


class Heartbeat:
    """The sign of life of one process, under a name of its own."""

    def __init__(self, store: DocumentStore) -> None:
        self.name = new_owner()
        self._store = store
        self._beat = 0
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins to beat."""
        self._task = asyncio.create_task(self._go_on(), name="heartbeat")

    async def stop(self) -> None:
        """Ends, and says so: nobody has to wait for the silence."""
        if self._task is None:
            return
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._task = None
        # Where the store is unavailable the others wait for the silence: it is no reason to end late.
        with suppress(StoreError, TimeoutError):
            async with asyncio.timeout(EVERY):
                await self._write(ended=True)

    async def _go_on(self) -> None:
        while True:
            try:
                await self._write(ended=False)
            except StoreError as error:
                # Others may take over what this process holds; its own writes are then refused by their etags.
                log.warning("a sign of life could not be written", extra={"reason": type(error).__name__})
            await asyncio.sleep(EVERY)

    async def _write(self, *, ended: bool) -> None:
        self._beat += 1
        document: Json = {"id": _id(self.name), "group": GROUP, "beat": self._beat, "at": time.time(), "ended": ended}
        await self._store.write(CONTAINER, Upsert({**document, "ttl": TTL}))


async def life_of(store: DocumentStore, name: str) -> Life:
    """Whether the process that beats under this name has ended; `unknown` where it never beat.

    Takes `WATCH` seconds for one that is silent. Raises `StoreError`.
    """
    if has_ended(name):
        return "ended"
    first = await _read(store, name)
    if first is None:
        return "unknown"
    if first["ended"]:
        return "ended"
    if abs(time.time() - first["at"]) < SILENT:
        return "alive"
    await asyncio.sleep(WATCH)
    second = await _read(store, name)
    return "ended" if second is None or second["beat"] == first["beat"] else "alive"


async def _read(store: DocumentStore, name: str) -> Json | None:
    found = await store.read(CONTAINER, GROUP, _id(name))
    return None if found is None else found.data


def _id(name: str) -> str:
    """Names hold signs that ids may not."""
    return hashlib.sha256(name.encode()).hexdigest()[:32]
