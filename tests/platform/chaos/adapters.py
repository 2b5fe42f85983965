"""The adapters under the suite. Another one is one more function."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from handlers.platform.bus.sqlite import SqliteBus
from handlers.platform.clock import SystemClock
from handlers.platform.store.sqlite import SqliteStore
from tests.platform.chaos.contract import STORED, TOPICS
from tests.platform.chaos.plan import Adapters
from tests.platform.store.cosmos_adapters import stand_in, store_on


def embedded(folder: Path) -> Adapters:
    """Both on SQLite."""
    return Adapters(
        "sqlite",
        lambda: SqliteStore.open(folder / "documents.sqlite3", STORED),
        lambda lease: SqliteBus.open(folder / "events.sqlite3", TOPICS, lease=lease),
    )


def cosmos(folder: Path) -> Adapters:
    """Documents on the Cosmos adapter and the stand-in, two ranges, events on SQLite."""
    server = stand_in(STORED, SystemClock(), partitions=2)
    return Adapters(
        "cosmos",
        lambda: store_on(server, STORED),
        lambda lease: SqliteBus.open(folder / "events.sqlite3", TOPICS, lease=lease),
    )


ADAPTERS: Final[dict[str, Callable[[Path], Adapters]]] = {"sqlite": embedded, "cosmos": cosmos}
