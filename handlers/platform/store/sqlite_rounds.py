"""Clearing up in turn, for a bounded time: rows whose time is over, table by table, between the writes of others."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final, Generic, TypeVar

T = TypeVar("T")

# Of one round, in seconds: so long a write may wait for it. What is left comes in the next round, soon after.
BUDGET: Final = 0.01


class Rounds(Generic[T]):
    """Goes round among things that fill up, each round from where the last one ended: a full one starves no other."""

    def __init__(self, things: Iterable[T]) -> None:
        self._things = deque(things)

    def clear(self, step: Callable[[T], bool]) -> bool:
        """Takes a step with each in turn, until none has more to clear or time is over. Whether there may be more.

        `step` clears a little and says whether it found as much as it takes in one go.
        """
        ends = time.monotonic() + BUDGET
        clean = 0  # of those seen last, one after the other
        while clean < len(self._things):
            clean = 0 if step(self._things[0]) else clean + 1
            self._things.rotate(-1)
            if time.monotonic() >= ends:
                break
        return clean < len(self._things)
