"""Values kept for a while in this process, each for the version of what it was made from."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable
from typing import Generic, TypeVar

V = TypeVar("V")


class Memo(Generic[V]):
    """Values of together at most `size` bytes, none older than `seconds`; the one not used for longest goes first."""

    def __init__(
        self, size: int, seconds: float, bytes_of: Callable[[V], int], now: Callable[[], float] = time.monotonic
    ) -> None:
        self._room = size
        self._seconds = seconds
        self._bytes_of = bytes_of
        self._now = now
        self._values: OrderedDict[Hashable, tuple[Hashable, float, V]] = OrderedDict()

    def __contains__(self, key: Hashable) -> bool:
        """Whether there is a value of the key, of whatever version and age."""
        return key in self._values

    def get(self, key: Hashable, version: Hashable) -> V | None:
        """The value of a key, if it was made from this version and not too long ago."""
        kept = self._values.get(key)
        if kept is None or kept[0] != version or kept[1] < self._now():
            return None
        self._values.move_to_end(key)
        return kept[2]

    def find(self, wanted: Iterable[tuple[Hashable, Hashable]]) -> list[V | None]:
        """`get` for many pairs of key and version."""
        now, values = self._now(), self._values
        found: list[V | None] = []
        for key, version in wanted:
            kept = values.get(key)
            if kept is None or kept[0] != version or kept[1] < now:
                found.append(None)
            else:
                values.move_to_end(key)
                found.append(kept[2])
        return found

    def put(self, key: Hashable, version: Hashable, value: V) -> None:
        """Keeps a value in place of the one before."""
        before = self._values.pop(key, None)
        if before is not None:
            self._room += self._bytes_of(before[2])
        self._values[key] = (version, self._now() + self._seconds, value)
        self._room -= self._bytes_of(value)
        while self._room < 0:
            _, (_, _, oldest) = self._values.popitem(last=False)
            self._room += self._bytes_of(oldest)
