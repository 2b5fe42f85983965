"""How much work waits in this process, and which requests are turned away while it is too much.

Beyond what a process can do, every further request it takes makes all of them later, until none is in time: better to
refuse some at once (Google SRE book, "Handling Overload"). What is measured is the queue that overload makes: requests
that have arrived whole and whose first line of code has not run. How long one of them takes, everything else in the
event loop included, is learned from those that started: their wait divided by their place in the queue. So no figure
has to be guessed, and a slow dependency, which fills no queue, sheds nothing.

To refuse costs as well, mostly system calls: at five times what can be done, refusing all would take half of the time.
So a connection that was refused rests: it is not read until there is room again, a few at each turn, for at most
`REST_SECONDS`. Whoever heeds `Retry-After` does not notice. What came on it meanwhile is refused again while others
are, for its caller has probably given up, and there are fresh ones to serve.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from handlers.platform.telemetry import Telemetry

log = logging.getLogger(__name__)

# A third of 300 ms: what comes while the queue is worked off waits for that as well, unseen by the process, and what
# was admitted has its continuations.
QUEUE_SECONDS: Final = 0.1
# So many are always taken: they are needed to learn from.
FEWEST: Final = 32
_LEARN_FROM: Final = 16
_WEIGHT: Final = 0.02
_FIRST_GUESS: Final = 0.0005
_LOG_SECONDS: Final = 10.0
TURN_SECONDS: Final = 0.05
REST_SECONDS: Final = 5.0
# While some are refused, so much of the time may go into trying those that rest.
STRESS_SECONDS: Final = 0.5
_TRIED: Final = 0.05

IsPriority = Callable[[bytes, bytes], bool]


def _none(method: bytes, target: bytes) -> bool:
    return False


class Load:
    """The queue of a process. `is_priority`, of method and target, tells what comes through whatever the load."""

    def __init__(self, is_priority: IsPriority = _none, *, now: Callable[[], float] = time.monotonic) -> None:
        self.is_priority = is_priority
        self.shed = 0
        self._now = now
        self._waiting: deque[tuple[float, int]] = deque()
        self._each = _FIRST_GUESS
        self._most = QUEUE_SECONDS / _FIRST_GUESS
        self._logged = -_LOG_SECONDS
        self._resting: deque[tuple[float, Callable[[], None]]] = deque()
        self._turn_due: asyncio.TimerHandle | None = None
        self._peak = 0
        self._refused_in_turn = False
        self._refused_at = -STRESS_SECONDS

    @property
    def is_too_high(self) -> bool:
        """Whether one more request would wait for too long."""
        return len(self._waiting) >= self._most

    @property
    def is_stressed(self) -> bool:
        """Whether a request was refused a moment ago."""
        return self._now() - self._refused_at < STRESS_SECONDS

    @property
    def resting(self) -> int:
        """How many connections are not read, for they were refused."""
        return len(self._resting)

    @property
    def waiting(self) -> int:
        """How many requests wait for their start."""
        return len(self._waiting)

    def arrive(self) -> None:
        """A request begins to wait. They start in the order of their arrival."""
        self._waiting.append((self._now(), len(self._waiting)))
        self._peak = max(self._peak, len(self._waiting))

    def start(self) -> None:
        """The one that waits longest starts."""
        if not self._waiting:
            return
        since, place = self._waiting.popleft()
        if place >= _LEARN_FROM:
            self._each += _WEIGHT * ((self._now() - since) / place - self._each)
            self._most = max(FEWEST, QUEUE_SECONDS / self._each)

    def refuse(self) -> None:
        """Counts a request that was turned away."""
        self.shed += 1
        self._refused_in_turn = True
        now = self._refused_at = self._now()
        if now - self._logged >= _LOG_SECONDS:
            self._logged = now
            log.warning("too much load: requests are shed", extra={"count": self.shed, "queue": round(self._most)})

    def rest(self, resume: Callable[[], None], loop: asyncio.AbstractEventLoop) -> None:
        """Has `resume` called, in the order of the calls, when there is room again."""
        self._resting.append((self._now(), resume))
        if self._turn_due is None:
            self._turn_due = loop.call_later(TURN_SECONDS, self._turn, loop)

    def _turn(self, loop: asyncio.AbstractEventLoop) -> None:
        room = self._most - self._peak
        if self._refused_in_turn:
            room = min(room, TURN_SECONDS * _TRIED / self._each)
        self._peak, self._refused_in_turn = len(self._waiting), False
        overdue = self._now() - REST_SECONDS
        while self._resting and (room >= 1 or self._resting[0][0] < overdue):
            room -= 1
            _, resume = self._resting.popleft()
            resume()
        self._turn_due = loop.call_later(TURN_SECONDS, self._turn, loop) if self._resting else None

    def expose(self, telemetry: Telemetry) -> None:
        """Publishes what is known of the load in the metrics."""
        telemetry.watch("hph_requests_shed", "Requests turned away under load.", lambda: self.shed)
        telemetry.watch(
            "hph_requests_waiting", "Requests that wait for their start.", lambda: self.waiting, kind="gauge"
        )
        help_text = "Connections that are not read, for they were refused."
        telemetry.watch("hph_connections_resting", help_text, lambda: self.resting, kind="gauge")
        help_text = "Requests that may wait for their start."
        telemetry.watch("hph_requests_waiting_most", help_text, lambda: self._most, kind="gauge")
