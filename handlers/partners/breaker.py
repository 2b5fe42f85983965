"""A breaker before each partner: after a few failures in a row nobody waits for it, and one at a time looks again."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from handlers.platform.patience import Transient

T = TypeVar("T")


class PartnerUnavailable(Exception):
    """A partner did not answer in time, answered nonsense, or is not asked at the moment. Names the partner only.

    `retry_after`: seconds until asking again may help.
    """

    retry_after: int = 1


class PartnerAway(PartnerUnavailable, Transient):
    """A partner cannot be reached, is failing, or asks for patience. Whoever handles an event waits for it.

    A plain `PartnerUnavailable` is a refusal that will not pass by itself: the event becomes a dead letter.
    """


def refusal(partner: str, status: int) -> PartnerUnavailable:
    """What an HTTP status that is no success means: 429 and 5xx pass, others do not."""
    kind = PartnerAway if status == 429 or status >= 500 else PartnerUnavailable
    return kind(f"{partner} answered {status}")


class PartnerNotAsked(PartnerAway):
    """The breaker is open: nothing was sent, and asking again before `retry_after` is in vain."""


class Breaker:
    """Lets calls through until `failures` in a row have failed; then one probe after each pause, until one succeeds.

    The pauses, in seconds, double from `first` to `longest`, each shortened at random by up to a quarter, so that
    processes that lost a partner together do not come back together. Every error it lets out says in `retry_after` how
    long asking again is in vain.
    """

    def __init__(
        self,
        partner: str,
        *,
        failures: int = 5,
        first: float = 1.0,
        longest: float = 30.0,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.partner = partner
        self._limit = failures
        self._first = first
        self._longest = longest
        self._now = now
        self._failed = 0
        self._pauses = 0
        self._open_until = 0.0
        self._probing = False

    async def call(self, operation: Callable[[], Awaitable[T]]) -> T:
        """The operation's result. Raises `PartnerUnavailable`, its own, or `PartnerNotAsked` for an open breaker."""
        if self._failed < self._limit:
            return await self._tried(operation)
        if self._probing or self._now() < self._open_until:
            raise self._said(PartnerNotAsked(f"{self.partner} is not asked at the moment"))
        # The others shall not wait with this one.
        self._probing = True
        try:
            return await self._tried(operation)
        finally:
            self._probing = False

    async def _tried(self, operation: Callable[[], Awaitable[T]]) -> T:
        was_open = self._failed >= self._limit
        try:
            result = await operation()
        except PartnerUnavailable as error:
            self._failed += 1
            # Calls that were under way when it opened say nothing new; a probe does.
            if self._failed == self._limit or was_open:
                self._pause()
            self._said(error)
            raise
        self._failed = self._pauses = 0
        return result

    def _pause(self) -> None:
        pause = min(self._longest, self._first * 2.0 ** min(self._pauses, 20))
        self._pauses += 1
        self._open_until = self._now() + pause * random.uniform(0.75, 1.0)  # noqa: S311 - jitter, no secret

    def _said(self, error: PartnerUnavailable) -> PartnerUnavailable:
        """The error, with the seconds until somebody may ask."""
        left = self._open_until - self._now() if self._failed >= self._limit else 0.0
        error.retry_after = max(1, math.ceil(left))
        return error
