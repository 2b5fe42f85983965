"""How many connections a process holds, and for how long one may keep it waiting.

Without bounds half-sent requests and silent connections stay open for ever (slowloris, CWE-400). One sweep a second
looks at all connections: a request pays for no timer.
"""

from __future__ import annotations

import asyncio
import logging
import random
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from handlers.platform.limits import network
from handlers.platform.load import Load

if TYPE_CHECKING:
    from handlers.platform.telemetry import Telemetry

log = logging.getLogger(__name__)

SWEEP_SECONDS: Final = 1.0
Header = tuple[bytes, bytes]
RefusalHeaders = Callable[[Sequence[Header]], tuple[str, list[Header]]]


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one connection and all of them may take. Sizes in bytes, times in seconds, rates in bytes a second.

    `head_bytes` is the request line with all header fields. `body_rate` is asked for once a body takes longer than
    `body_seconds`, which is also how long nothing of it, or of the response, may move. `age_seconds`: after so long, a
    tenth more or less, a connection is closed behind a response: its client spreads over those who serve now.
    """

    head_bytes: int = 32_768
    head_seconds: float = 10.0
    body_seconds: float = 30.0
    body_rate: float = 240.0
    unread_bytes: int = 2_097_152
    per_address: int = 256
    in_all: int = 4_096
    age_seconds: float = 60.0


class Connection(ABC):
    """What a connection tells the others, and what can be asked of it."""

    @property
    @abstractmethod
    def is_waiting(self) -> bool:
        """Whether no request is under way: it waits for one, or for the rest of its head."""

    @abstractmethod
    def check(self, now: float) -> str | None:
        """Ends the connection when it takes too long; says why."""

    @abstractmethod
    def end(self) -> None:
        """Closes it, without a word."""


def _no_headers(_: Sequence[Header]) -> tuple[str, list[Header]]:
    return "", []


def _trusts_nobody(_: str) -> bool:
    return False


class Connections:
    """The connections of one process.

    `trusts` tells the addresses of proxies of ours, which speak for many: neither bound holds for them.
    `refusal_headers` are the request id and headers of what the server itself answers, by the request's headers.
    `load` knows how much work waits.
    """

    def __init__(
        self,
        bounds: Bounds | None = None,
        *,
        trusts: Callable[[str], bool] | None = None,
        refusal_headers: RefusalHeaders = _no_headers,
        load: Load | None = None,
    ) -> None:
        self.load = load or Load()
        self.bounds = bounds or Bounds()
        self.refusal_headers = refusal_headers
        self.draining = False
        self.ended: Counter[str] = Counter()
        self.trusts = trusts or _trusts_nobody
        self._open: dict[Connection, str | None] = {}
        self._counted: dict[Connection, None] = {}
        self._by_network: dict[str, dict[Connection, None]] = {}
        self._sweep_due: asyncio.TimerHandle | None = None
        self._chance = random.Random()  # noqa: S311 - spreads, protects nothing

    def __len__(self) -> int:
        return len(self._open)

    def opened(self, connection: Connection, address: str, loop: asyncio.AbstractEventLoop) -> float | None:
        """Takes a new connection in; answers how long it may live, None when there is no place for it.

        Where a bound is reached, the one that has waited longest without a request gives up its place.
        """
        if self.trusts(address):
            self._open[connection] = None
        else:
            key = network(address)
            neighbours = self._by_network.setdefault(key, {})
            if not (
                self._has_place(neighbours, self.bounds.per_address)
                and self._has_place(self._counted, self.bounds.in_all)
            ):
                self.ended["refused"] += 1
                if not neighbours:
                    self._by_network.pop(key, None)
                return None
            self._open[connection] = key
            self._counted[connection] = None
            self._by_network.setdefault(key, neighbours)[connection] = None
        if self._sweep_due is None:
            self._sweep_due = loop.call_later(SWEEP_SECONDS, self._sweep, loop)
        return self.bounds.age_seconds * self._chance.uniform(0.9, 1.1)

    def closed(self, connection: Connection) -> None:
        """Forgets a connection; one that was never taken in is none."""
        key = self._open.pop(connection, None)
        self._counted.pop(connection, None)
        if key is not None:
            neighbours = self._by_network[key]
            del neighbours[connection]
            if not neighbours:
                del self._by_network[key]

    def expose(self, telemetry: Telemetry) -> None:
        """Publishes the counts in the metrics."""
        self.load.expose(telemetry)
        telemetry.watch("hph_connections", "Connections open now.", lambda: len(self._open), kind="gauge")
        for reason in ("head_time", "body_time", "stalled", "crowded", "refused"):
            help_text = "Connections that the server ended."
            telemetry.watch("hph_connections_ended", help_text, lambda r=reason: self.ended[r], reason=reason)  # type: ignore[misc]  # mypy: a lambda with a default

    def _has_place(self, among: dict[Connection, None], most: int) -> bool:
        if len(among) < most:
            return True
        # In the order in which they came, so that the search mostly ends at once.
        oldest = next((connection for connection in among if connection.is_waiting), None)
        if oldest is None:
            return False
        self.ended["crowded"] += 1
        oldest.end()
        self.closed(oldest)
        return True

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        self._sweep_due = loop.call_later(SWEEP_SECONDS, self._sweep, loop) if self._open else None
        self._check(list(self._open), loop.time())

    def _check(self, connections: Iterable[Connection], now: float) -> None:
        for connection in connections:
            reason = connection.check(now)
            if reason is not None:
                self.ended[reason] += 1
