"""What a consumer waits for and what it counts: a failure is tried a few times, an obstacle is waited for."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from typing import Final

from handlers.platform.bus.port import BusUnavailable
from handlers.platform.cache import CacheUnavailable
from handlers.platform.store.port import StoreUnavailable, VersionConflict


class Transient(Exception):
    """Something is away for the moment. Errors of partners that shall be waited for derive from it."""


class NotYetThere(Exception):
    """A document that the event proves is not to be seen: written by another process, and this replica is behind."""


_TRANSIENT: Final = (Transient, StoreUnavailable, BusUnavailable, CacheUnavailable, ConnectionError)
# How long each may last, in seconds, before it counts as a failure. Nothing is contested for ten minutes, and no
# replica that serves is half a minute behind: what lasts longer is a fault, and must not stop a partition for ever.
_CONTESTED: Final = 600.0
_BEHIND: Final = 30.0
_LONGEST_CONFLICT: Final = 0.5  # of a pause, for who comes back late finds new rivals


@dataclass(frozen=True, slots=True)
class Patience:
    """How often a failing event is tried, and the pauses in seconds: they double from `first` to `longest`."""

    attempts: int = 5
    first: float = 0.05
    longest: float = 10.0

    def pause(self, failures: int) -> float:
        """The pause after so many failures in a row."""
        return min(self.longest, float(self.first * 2 ** min(failures - 1, 20)))


class Waiting:
    """How long the same kind of obstacle has been waited for."""

    __slots__ = ("_kind", "_since", "times")

    def __init__(self) -> None:
        self._kind: float | None = None
        self._since = 0.0
        self.times = 0

    def bears(self, error: Exception) -> bool:
        """Whether the error is waited for (once more), and is no failure."""
        limit = _patience_with(error)
        if limit != self._kind:
            self._kind, self._since = limit, time.monotonic()
        borne = limit > 0 and time.monotonic() - self._since < limit
        self.times += borne
        return borne

    def pause(self, patience: Patience) -> float:
        """The next pause, with jitter so that those who met do not meet again."""
        longest = patience.longest if self._kind != _CONTESTED else min(patience.longest, _LONGEST_CONFLICT)
        return min(longest, patience.pause(self.times)) * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, no secret


def _patience_with(error: Exception) -> float:
    """Seconds for which an error is waited for without being counted."""
    if isinstance(error, _TRANSIENT):
        return float("inf")
    if isinstance(error, VersionConflict):
        return _CONTESTED
    return _BEHIND if isinstance(error, NotYetThere) else 0.0
