"""What a run does, and what is held against it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from random import Random

from handlers.platform.bus.port import EventBus
from handlers.platform.store.port import DocumentStore

Trouble = Callable[[Random, Counter[str]], Awaitable[None]]


@dataclass(slots=True)
class Adapters:
    """How to open the store and the bus under test; the same file, database or broker at every call.

    `open_bus` gets the lease in seconds, and the store for checkpoints, which has faults. `trouble`: breaks something
    at the broker or the store once, and counts it; called again and again while the killing lasts.
    """

    name: str
    open_store: Callable[[], DocumentStore]
    open_bus: Callable[[float, DocumentStore], EventBus]
    lease: float = 0.4
    kills: int = 8
    pace: float = 0.3  # seconds between two changes of a thing, at most
    trouble: Trouble | None = None


@dataclass(slots=True)
class Plan:
    """What happens. The last two are the controls, which must lead to errors."""

    seed: int
    events: int = 500  # at least
    things: int = 20
    poison: float = 0.03
    kills: int = 8
    inbox: bool = True
    outbox_in_batch: bool = True


@dataclass(slots=True)
class Outcome:
    """What was promised and what came of it, by group."""

    promised: dict[str, list[int]] = field(default_factory=dict)
    poison: set[str] = field(default_factory=set)
    applied: dict[str, dict[str, list[int]]] = field(default_factory=dict)
    buried: dict[str, list[str]] = field(default_factory=dict)

    def faults(self) -> list[str]:
        """Everything that is not as promised."""
        found = []
        for group, things in self.applied.items():
            for thing, wanted in self.promised.items():
                got = things.get(thing, [])
                if got != wanted:
                    found.append(f"{group}: {thing} applied {got}, promised {wanted}")
        for group, ids in self.buried.items():
            if sorted(ids) != sorted(self.poison):
                odd = {*ids} ^ self.poison
                found.append(f"{group}: {len(ids)} dead letters, {len(self.poison)} poison; in one only: {odd}")
        return found
