"""A value read as a whole and kept for a few seconds, such as the category tree."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from handlers.platform.background import Background

T = TypeVar("T")


class Kept(Generic[T]):
    """Reads at first use. After `seconds` the old value still answers while a new one is read in the background."""

    def __init__(
        self, read: Callable[[], Awaitable[T]], background: Background, what: str, seconds: float = 5.0
    ) -> None:
        self._read = read
        self._background = background
        self._what = what
        self._seconds = seconds
        self._value: T | None = None
        self._begun = self._newest = 0
        self._read_at = 0.0
        self._reading = False

    async def value(self) -> T:
        """The value as it was at most a few seconds ago."""
        if self._value is None:
            return await self.reload()
        if time.monotonic() - self._read_at > self._seconds and not self._reading:
            self._reading = True
            self._background.spawn(self._refresh(), f"read {self._what}")
        return self._value

    async def reload(self) -> T:
        """Reads anew, so that what this process has just written is in it."""
        self._begun += 1
        number = self._begun
        value = await self._read()
        if number > self._newest or self._value is None:  # else a reading that began later has ended before this one
            self._newest, self._value, self._read_at = number, value, time.monotonic()
        return self._value

    async def _refresh(self) -> None:
        try:
            await self.reload()
        finally:
            self._reading = False
