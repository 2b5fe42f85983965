"""Tells of stock levels that orders have changed: `StockLevelChanged`, summed up.

What orders move is added to the counters, and who adds does not know the level that it leads to. So the level is told
behind it, in a batch of its own: the stock keeps what was told last (`told`), and an event tells of all that has
happened since, be it one entry of the ledger or thirty. A product that everybody wants would else be told of, and
projected onto its page, once for each order. A movement ends when it was told of: after a crash its event is handled
again, and finds what is still to be told.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from handlers.contract.services import EventServices
from handlers.inventory import ledger, store
from handlers.platform.concurrency import FASTER, retrying, settled
from handlers.platform.events import Event
from handlers.platform.outbox import COUNTER
from handlers.platform.store.port import Document, Eq, Exists, Operation, Patch

PAUSE: Final = 0.05  # seconds between two batches of a product by a process: readers apply each event on its own
AT_ONCE: Final = 45  # variants; each takes two operations of a batch
ATTEMPTS: Final = 12


@dataclass(slots=True, eq=False)
class _Telling:
    """Variants that have moved, why, and whoever waits until that was told."""

    event: Event[Any]
    variants: Sequence[str]
    reason: ledger.Reason
    future: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Levels:
    """The levels of one product, as this process tells of them."""

    def __init__(self, services: EventServices, product_id: str) -> None:
        self._services = services
        self._product_id = product_id
        self._known: dict[str, Document] = {}
        self._waiting: list[_Telling] = []
        self._task: asyncio.Task[None] | None = None
        self._last = 0.0

    async def tell(
        self,
        event: Event[Any],
        variants: Sequence[str],
        reason: ledger.Reason,
        stocks: Mapping[str, Document | None],
    ) -> None:
        """Returns when the levels of these variants were told, by whoever.

        `stocks`: as they are after the movement; those that are not given are read.
        """
        for variant_id in variants:
            if stocks.get(variant_id) is None:
                self._known.pop(variant_id, None)
            self._learn(variant_id, stocks.get(variant_id))
        telling = _Telling(event, variants, reason)
        self._waiting.append(telling)
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name=f"levels-{self._product_id}")
        await telling.future

    def _learn(self, variant_id: str, stock: Document | None) -> None:
        """Keeps the newest that was seen: what several batches answer comes in any order."""
        known = self._known.get(variant_id)
        if stock is not None and (known is None or _age(known) < _age(stock)):
            self._known[variant_id] = stock

    async def _run(self) -> None:
        try:
            while self._waiting:
                await asyncio.sleep(max(0.0, self._last + PAUSE - time.monotonic()))
                tellings, self._waiting = self._waiting, []
                await self._tell(tellings)
                self._last = time.monotonic()
        finally:
            self._task = None

    async def _tell(self, tellings: list[_Telling]) -> None:
        latest = {variant_id: each for each in tellings for variant_id in each.variants}
        variants = sorted(latest)
        error: Exception | None = None
        try:
            for start in range(0, len(variants), AT_ONCE):
                await self._write({each: latest[each] for each in variants[start : start + AT_ONCE]})
        except Exception as raised:  # everybody who waits hears of it, and the event is handled again
            error = raised
        for each in tellings:
            if each.future.done():
                continue
            if error is None:
                each.future.set_result(None)
            else:
                each.future.set_exception(error)

    async def _write(self, latest: Mapping[str, _Telling]) -> None:
        async def attempt() -> None:
            await self._read([variant_id for variant_id in latest if variant_id not in self._known])
            operations: list[Operation] = []
            for variant_id, telling in latest.items():
                stock = self._known.get(variant_id)
                if stock is not None and not ledger.is_told(stock.data):
                    operations += self._operations(stock.data, telling)
            if not operations:
                return
            try:
                written = await settled(self._services.store, store.CONTAINER, self._product_id, operations)
            except FASTER:
                self._known.clear()
                raise
            for document in written[::2]:
                if document is not None:
                    self._learn(document.data["variant_id"], document)

        await retrying(attempt, attempts=ATTEMPTS, on=FASTER)

    async def _read(self, variants: Sequence[str]) -> None:
        places = [(store.CONTAINER, self._product_id, variant_id) for variant_id in variants]
        for variant_id, stock in zip(variants, await self._services.store.read_many(places), strict=True):
            self._learn(variant_id, stock)

    def _operations(self, stock: Mapping[str, Any], telling: _Telling) -> list[Operation]:
        """What was told last, on the condition that nobody has told since; and the event."""
        guarded = dict(stock)
        row = self._services.outbox.follow(
            telling.event,
            store.CONTAINER,
            guarded,
            event_type="StockLevelChanged",
            data=ledger.summed(stock, telling.reason),
        )
        told = {"told": ledger.told(stock), COUNTER: guarded[COUNTER]}
        before = stock.get(COUNTER)
        unchanged = Exists(COUNTER, present=False) if before is None else Eq(COUNTER, before)
        return [Patch(stock["variant_id"], sets=told, condition=unchanged), row]


def _age(stock: Document) -> tuple[int, int]:
    """Grows with every change: entries of the ledger, and events that told of them."""
    return stock.data["version"], stock.data.get(COUNTER, 0)
