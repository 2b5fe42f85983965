"""A breaker before each partner: after a few failures in a row nobody waits for it for a while."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from handlers.platform.patience import Transient

T = TypeVar("T")


class PartnerUnavailable(Exception):
    """A partner did not answer in time, answered nonsense, or is not asked at the moment. Names the partner only."""


class PartnerAway(PartnerUnavailable, Transient):
    """A partner cannot be reached, is failing, or asks for patience. Whoever handles an event waits for it.

    A plain `PartnerUnavailable` is a refusal that will not pass by itself: the event becomes a dead letter.
    """


def refusal(partner: str, status: int) -> PartnerUnavailable:
    """What an HTTP status that is no success means: 429 and 5xx pass, others do not."""
    kind = PartnerAway if status == 429 or status >= 500 else PartnerUnavailable
    return kind(f"{partner} answered {status}")


class Breaker:
    """Lets calls through until `failures` in a row have failed; then one attempt every `seconds`."""

    def __init__(
        self, partner: str, *, failures: int = 5, seconds: float = 30.0, now: Callable[[], float] = time.monotonic
    ) -> None:
        self.partner = partner
        self._limit = failures
        self._seconds = seconds
        self._now = now
        self._failed = 0
        self._open_until = 0.0

    async def call(self, operation: Callable[[], Awaitable[T]]) -> T:
        """The operation's result. Raises `PartnerUnavailable`, its own or for a breaker that is open."""
        if self._failed >= self._limit:
            now = self._now()
            if now < self._open_until:
                raise PartnerAway(f"{self.partner} is not asked at the moment")
            # This call is the attempt of this interval; the others shall not wait with it.
            self._open_until = now + self._seconds
        try:
            result = await operation()
        except PartnerUnavailable:
            self._failed += 1
            if self._failed >= self._limit:
                self._open_until = self._now() + self._seconds
            raise
        self._failed = 0
        return result
