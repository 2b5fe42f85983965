"""Work that is done again and again beside the events, by one process at a time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

from handlers.platform.ids import new_id
from handlers.platform.leases import Lease, LeaseLost
from handlers.platform.store.port import DocumentStore, StoreError

log = logging.getLogger(__name__)

# So many turns without a sign of life, and another process takes the work over.
PATIENCE: Final = 3


class LeasedJob:
    """Does `work` every so many seconds while it runs, under a lease. `work` gets the id of the run.

    The lease holds for three turns and is renewed while a run takes longer. A process that hangs may still overlap with
    the one that took over, so `work` has to bear being done twice at once.
    """

    def __init__(
        self, store: DocumentStore, name: str, work: Callable[[str], Awaitable[object]], *, every: float
    ) -> None:
        self._lease = Lease(store, "jobs", name, seconds=every * PATIENCE)
        self._name = name
        self._work = work
        self._every = every
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins."""
        self._task = asyncio.create_task(self._run(), name=self._name)

    async def stop(self) -> None:
        """Ends, and lets another process go on."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        with suppress(StoreError):
            await self._lease.release()

    async def turn(self) -> bool:
        """Does the work once. False: another process does it. Raises what the work and the store raise."""
        if not await self._lease.acquire():
            return False
        await self._lease.during(self._do())
        return True

    async def _do(self) -> None:
        await self._work(new_id("job"))

    async def _run(self) -> None:
        while True:
            try:
                await self.turn()
            except (StoreError, LeaseLost) as error:
                log.warning("job put off", extra={"job": self._name, "reason": type(error).__name__})
            except Exception as error:
                # One bad turn must not end the job for good. The type alone: texts of partners may hold addresses.
                log.error("job failed", extra={"job": self._name, "reason": type(error).__name__})  # noqa: TRY400 - see above
            await asyncio.sleep(self._every)
