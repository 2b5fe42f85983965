"""Ends attempts that take too long: one timer for all of them, looking twenty times a second while there are any.

`asyncio.timeout` makes and cancels a timer for each, which was 3 % of the processor's time of a point read.
"""

from __future__ import annotations

import asyncio
import time
from types import TracebackType
from typing import Any, Final, Self

TICK: Final = 0.05


class Watch:
    """The attempts under way. For one event loop."""

    def __init__(self) -> None:
        self._running: dict[Limit, None] = {}
        self._ticking = False

    def limit(self, seconds: float) -> Limit:
        """A block that is cancelled after so many seconds, give or take a tick, and then raises `TimeoutError`."""
        return Limit(self, seconds)

    def enter(self, limit: Limit) -> None:
        """Watches an attempt."""
        self._running[limit] = None
        if not self._ticking:
            self._ticking = True
            asyncio.get_running_loop().call_later(TICK, self._tick)

    def leave(self, limit: Limit) -> None:
        """It has ended."""
        self._running.pop(limit, None)

    def _tick(self) -> None:
        now = time.monotonic()
        for limit in [one for one in self._running if one.ends <= now]:
            self.leave(limit)
            limit.expire()
        self._ticking = bool(self._running)
        if self._ticking:
            asyncio.get_running_loop().call_later(TICK, self._tick)


class Limit:
    """See `Watch.limit`."""

    __slots__ = ("_before", "_seconds", "_task", "_watch", "ends", "expired")

    def __init__(self, watch: Watch, seconds: float) -> None:
        self._watch = watch
        self._seconds = seconds
        self.expired = False

    def __enter__(self) -> Self:
        task: asyncio.Task[Any] | None = asyncio.current_task()
        if task is None:
            raise RuntimeError("the document store is for tasks")
        self._task, self._before = task, task.cancelling()
        self.ends = time.monotonic() + self._seconds
        self._watch.enter(self)
        return self

    def expire(self) -> None:
        """Its time is over."""
        self.expired = True
        self._task.cancel()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._watch.leave(self)
        # As asyncio.timeout does: somebody else's cancellation at the same time is not taken for ours.
        if self.expired and self._task.uncancel() <= self._before and kind is asyncio.CancelledError:
            raise TimeoutError from error
