"""What a process relies on, asked in the background, so that probes answer from memory whatever is unavailable.

None of it decides about readiness: a dependency that all processes share would take all of them out of service at once
(decision 80). It is told in health and metrics instead.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final, Literal

from handlers.platform.bus.port import BusError
from handlers.platform.cache import CacheUnavailable
from handlers.platform.store.port import StoreError, StoreThrottled
from handlers.platform.telemetry import Telemetry

EVERY: Final = 5.0  # seconds
PATIENCE: Final = 2.0  # seconds for one answer
UNAVAILABLE: Final = (StoreError, BusError, CacheUnavailable, TimeoutError)

Ping = Callable[[], Awaitable[Any]]
Status = Literal["up", "down", "unknown"]


@dataclass(frozen=True, slots=True)
class State:
    """How a dependency answered last: `unknown` before it was asked. `seconds`: how long it took."""

    name: str
    status: Status = "unknown"
    seconds: float = 0.0


class Dependencies:
    """Asks each dependency every few seconds while it runs, and remembers what came of it."""

    def __init__(self, telemetry: Telemetry) -> None:
        self._telemetry = telemetry
        self._pings: dict[str, Ping] = {}
        self._states: dict[str, State] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._running = False

    def watch(self, name: str, ping: Ping) -> None:
        """Adds a dependency before the start. `ping` raises one of `UNAVAILABLE` when it does not serve."""
        self._pings[name] = ping
        self._states[name] = State(name)
        text = "Whether a dependency answers: 1 yes, 0 no or not asked yet."
        self._telemetry.watch("dependency_up", text, lambda: self._is_up(name), kind="gauge", dependency=name)

    def states(self) -> list[State]:
        """How each one answered last, in the order they were added."""
        return [*self._states.values()]

    def start(self) -> None:
        """Begins to ask, each in a task of its own: one that hangs holds up no other."""
        self._running = True
        self._tasks = [asyncio.create_task(self._ask_on(name), name=f"ask {name}") for name in self._pings]

    async def stop(self) -> None:
        """Ends."""
        self._running = False
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []

    async def _ask_on(self, name: str) -> None:
        # A ping with `asyncio.wait_for` may swallow the cancelling when it succeeds at that moment (Python 3.11).
        while self._running:
            self._states[name] = await ask(name, self._pings[name])
            if self._running:
                await asyncio.sleep(EVERY)

    def _is_up(self, name: str) -> float:
        return float(self._states[name].status == "up")


async def ask(name: str, ping: Ping) -> State:
    """Asks one dependency now. One that throttles answers, so it is up."""
    started = time.perf_counter()
    status: Status = "up"
    try:
        async with asyncio.timeout(PATIENCE):
            await ping()
    except StoreThrottled:
        pass
    except UNAVAILABLE:
        status = "down"
    return State(name, status, time.perf_counter() - started)
