"""Work that an answer does not wait for, such as sending a mail: tracked, bounded, finished before the process ends."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, Final

log = logging.getLogger(__name__)

MAX_TASKS: Final = 1000


class Background:
    """Tasks of one process. What must survive a crash belongs into an outbox row, not here."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self.failures = 0

    def spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Starts the work. A failure is logged under `name` and goes no further; dropped when too much is going on."""
        if len(self._tasks) >= MAX_TASKS:
            work.close()
            self.failures += 1
            log.error("background work dropped", extra={"work": name})
            return
        task = asyncio.get_running_loop().create_task(self._guarded(work, name), name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def drain(self, seconds: float = 10.0) -> None:
        """Waits until nothing is going on; cancels what is left after `seconds`."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while self._tasks and loop.time() < end:
            await asyncio.wait(self._tasks, timeout=end - loop.time())
        for task in list(self._tasks):
            task.cancel()

    async def _guarded(self, work: Coroutine[Any, Any, None], name: str) -> None:
        try:
            await work
        except Exception as error:
            self.failures += 1
            # The type alone: texts of partners' errors may hold addresses.
            log.error("background work failed", extra={"work": name, "reason": type(error).__name__})  # noqa: TRY400 - see above
