"""What orders move in the stock of a product: by conditional patch, and many orders in one batch.

The counters are never read, changed and written back: a patch adds to them, on the condition that enough is there, in
the batch of the rows that say whose units they are. Whoever else moves the same stock is no obstacle to that. The
service carries out the writes to one document one after the other, so what waits for its turn in this process shares
the next batch (at most `MAX_BATCH_OPERATIONS`): a product that everybody wants is held for twenty orders at once.

A movement is planned anew, with its own rows read, when its batch was refused, for one row that is there already
refuses the whole batch. It has come to its end when the level it led to has been told (`levels`).
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from handlers.contract.services import EventServices
from handlers.inventory import ledger, store
from handlers.inventory.levels import Levels
from handlers.inventory.rules import available
from handlers.platform.clock import timestamp
from handlers.platform.concurrency import FASTER, settled
from handlers.platform.events import Event
from handlers.platform.store.port import MAX_BATCH_OPERATIONS, Difference, Document, Operation, Patch

ROUND: Final = 64  # movements looked at together
ATTEMPTS: Final = 12
ALONE_AFTER: Final = 3  # refusals, after which a movement no longer shares a batch
_FIRST_PAUSE: Final = 0.002
_LONGEST_PAUSE: Final = 0.25


@dataclass(frozen=True, slots=True)
class Move:
    """Units of a variant added to those on hand and to those reserved, negative when taken away."""

    variant_id: str
    on_hand: int = 0
    reserved: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """What an order does in a product's partition: it moves units, writes rows, and its caller gets `result`."""

    result: Any
    reason: ledger.Reason
    moves: tuple[Move, ...] = ()
    rows: tuple[Operation, ...] = ()


@dataclass(frozen=True, slots=True)
class ProductStock:
    """The card of a product and the stocks of some variants, as they are."""

    card: Document | None
    stocks: Mapping[str, Document | None]


# Decides. Told whether to read its own rows first: at the first attempt it may take for granted that there are none.
Planner = Callable[[ProductStock, bool], Awaitable[Plan]]


# What was planned and written, and the stocks as they are now.
Outcome = tuple[Plan, Mapping[str, Document | None]]


class Movement:
    """One that waits for its turn, and whoever waits for it."""

    __slots__ = ("attempts", "future", "planner", "variants")

    def __init__(self, variants: Sequence[str], planner: Planner) -> None:
        self.variants = tuple(variants)
        self.planner = planner
        self.attempts = 0
        self.future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()

    def end(self, outcome: Outcome) -> None:
        """It is written. Who no longer waits is left alone."""
        if not self.future.done():
            self.future.set_result(outcome)

    def fail(self, error: BaseException) -> None:
        """It could not be done."""
        if not self.future.done():
            self.future.set_exception(error)


class Movements:
    """The movements of this process, in a queue for each product that has any."""

    def __init__(self, services: EventServices) -> None:
        self._services = services
        self._queues: dict[str, _Queue] = {}

    async def move(self, event: Event[Any], product_id: str, variants: Sequence[str], planner: Planner) -> Any:
        """Carries out what `planner` decides, and tells the level; answers the plan's result.

        Raises what the planner raises, `StoreUnavailable`, and `VersionConflict` and its like when rows stay contested.
        """
        queue = self._queues.get(product_id)
        if queue is None:
            queue = self._queues[product_id] = _Queue(self._services, product_id)
        queue.users += 1
        try:
            plan, stocks = await queue.move(variants, planner)
            await queue.levels.tell(event, variants, plan.reason, stocks)
        finally:
            queue.users -= 1
            if not queue.users:
                del self._queues[product_id]
        return plan.result


class _Queue:
    """The movements of one product, for as long as there are `users` of it."""

    def __init__(self, services: EventServices, product_id: str) -> None:
        self.levels = Levels(services, product_id)
        self.users = 0
        self._services = services
        self._product_id = product_id
        self._waiting: deque[Movement] = deque()
        self._task: asyncio.Task[None] | None = None

    async def move(self, variants: Sequence[str], planner: Planner) -> Outcome:
        """Takes its turn."""
        movement = Movement(variants, planner)
        self._waiting.append(movement)
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name=f"stock-{self._product_id}")
        return await movement.future

    async def _run(self) -> None:
        under_way: list[Movement] = []
        try:
            while self._waiting:
                under_way = self._take()
                await self._round(under_way)
        except Exception as error:  # a fault of ours must not leave anybody waiting
            for movement in (*under_way, *self._waiting):
                movement.fail(error)
            self._waiting.clear()
        finally:
            self._task = None

    def _take(self) -> list[Movement]:
        """Those of the next round: several, or one that has to be alone."""
        taken: list[Movement] = []
        while self._waiting and len(taken) < ROUND:
            if taken and self._waiting[0].attempts >= ALONE_AFTER:
                break
            movement = self._waiting.popleft()
            if movement.future.done():  # given up by who waited
                continue
            taken.append(movement)
            if movement.attempts >= ALONE_AFTER:
                break
        return taken

    async def _round(self, movements: list[Movement]) -> None:
        if not movements:
            return
        stock = await self._read_stock({variant for each in movements for variant in each.variants})
        plans = await asyncio.gather(
            *(each.planner(stock, each.attempts > 0) for each in movements), return_exceptions=True
        )
        group, later = _Group(stock), list[Movement]()
        for movement, plan in zip(movements, plans, strict=True):
            if isinstance(plan, BaseException):
                movement.fail(plan)
            elif not plan.rows and not plan.moves:
                movement.end((plan, stock.stocks))
            elif not group.take(movement, plan):
                later.append(movement)
        self._waiting.extendleft(reversed(later))
        if group.members:
            await self._write(group)

    async def _read_stock(self, variants: Iterable[str]) -> ProductStock:
        names = sorted(variants)
        ids = (store.card_id(self._product_id), *names)
        places = [(store.CONTAINER, self._product_id, each) for each in ids]
        card, *stocks = await self._services.store.read_many(places)
        return ProductStock(card, dict(zip(names, stocks, strict=True)))

    async def _write(self, group: _Group) -> None:
        patches = group.patches(timestamp(self._services.clock.now()))
        try:
            written = await settled(
                self._services.store, store.CONTAINER, self._product_id, [*patches.values(), *group.rows]
            )
        except FASTER as error:
            await self._again([movement for movement, _ in group.members], error)
        except Exception as error:
            for movement, _ in group.members:
                movement.fail(error)
        else:
            # Of a batch whose answer was lost no documents are known: whoever tells of the levels reads them.
            stocks = dict(zip(patches, written, strict=False))
            for movement, plan in group.members:
                movement.end((plan, stocks))

    async def _again(self, movements: Sequence[Movement], error: Exception) -> None:
        """Another was faster: they come first in the next round, after a pause that differs from that of others."""
        again = []
        for movement in movements:
            movement.attempts += 1
            if movement.attempts < ATTEMPTS:
                again.append(movement)
            else:
                movement.fail(error)
        self._waiting.extendleft(reversed(again))
        pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0 ** max((each.attempts for each in again), default=0))
        await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - spreads the callers, hides nothing


class _Group:
    """The movements of one batch."""

    def __init__(self, stock: ProductStock) -> None:
        self._found = stock
        self._on_hand: Counter[str] = Counter()
        self._reserved: Counter[str] = Counter()
        self._entries: Counter[str] = Counter()
        self.members: list[tuple[Movement, Plan]] = []
        self.rows: list[Operation] = []

    def take(self, movement: Movement, plan: Plan) -> bool:
        """Takes one more; False: not in this batch, for want of room or of units that others of it take."""
        variants = {*self._entries, *(move.variant_id for move in plan.moves)}
        full = len(self.rows) + len(plan.rows) + len(variants) > MAX_BATCH_OPERATIONS
        if self.members and (full or not all(map(self._has, plan.moves))):
            return False
        for move in plan.moves:
            self._on_hand[move.variant_id] += move.on_hand
            self._reserved[move.variant_id] += move.reserved
            self._entries[move.variant_id] += 1
        self.members.append((movement, plan))
        self.rows += plan.rows
        return True

    def _has(self, move: Move) -> bool:
        stock = self._found.stocks[move.variant_id]
        units = available(stock.data) if stock is not None else 0
        return self._taken(move.variant_id) + move.reserved - move.on_hand <= units or move.reserved <= 0

    def _taken(self, variant_id: str) -> int:
        """Units that can no longer be ordered when the batch is written."""
        return self._reserved[variant_id] - self._on_hand[variant_id]

    def patches(self, now: str) -> dict[str, Patch]:
        """The patch of each variant, in an order that is always the same."""
        return {variant_id: self._patch(variant_id, now) for variant_id in sorted(self._entries)}

    def _patch(self, variant_id: str, now: str) -> Patch:
        stock, taken = self._found.stocks[variant_id], self._taken(variant_id)
        increments = {"on_hand": self._on_hand[variant_id], "reserved": self._reserved[variant_id]}
        return Patch(
            variant_id,
            sets={"updated_at": max(now, stock.data["updated_at"]) if stock is not None else now},
            increments={
                **{name: by for name, by in increments.items() if by},
                "version": self._entries[variant_id],
            },
            condition=Difference("on_hand", "reserved", ge=taken) if taken > 0 else None,
        )
