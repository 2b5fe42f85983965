"""Who follows an order in this process: told of a change at once where it was made here, else by looking again."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from handlers.contract.services import EventServices

PER_CALLER: Final = 5
PER_NETWORK: Final = 50
PER_PROCESS: Final = 1000


class Bells:
    """The streams of this process. `services.room(Bells)` is the one."""

    def __init__(self, services: EventServices) -> None:
        self._bells: dict[str, set[asyncio.Event]] = {}
        self._open: Counter[str] = Counter()
        self._by_network: Counter[str] = Counter()
        services.stopping.hear(self._ring_all)

    def is_full(self, caller: str, network: str) -> bool:
        """Whether a caller, or all from one network, follow as much as they may. A guest is soon another caller."""
        return self._open[caller] >= PER_CALLER or self._by_network[network] >= PER_NETWORK

    @property
    def crowded(self) -> bool:
        """Whether this process has as many streams as it takes."""
        return self._open.total() >= PER_PROCESS

    @contextmanager
    def hung(self, order_id: str, caller: str, network: str) -> Iterator[asyncio.Event]:
        """A bell that rings at each change of an order, counted as the caller's and the network's."""
        bell = asyncio.Event()
        self._bells.setdefault(order_id, set()).add(bell)
        self._open[caller] += 1
        self._by_network[network] += 1
        try:
            yield bell
        finally:
            for counter, key in ((self._open, caller), (self._by_network, network)):
                counter[key] -= 1
                if counter[key] <= 0:
                    del counter[key]
            self._bells[order_id].discard(bell)
            if not self._bells[order_id]:
                del self._bells[order_id]

    def ring(self, order_id: str) -> None:
        """An order has changed."""
        for bell in self._bells.get(order_id, ()):
            bell.set()

    def _ring_all(self) -> None:
        for order_id in self._bells:
            self.ring(order_id)
