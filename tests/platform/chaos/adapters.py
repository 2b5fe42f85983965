"""The adapters under the suite. Event Hubs and Cosmos: one more function each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from handlers.platform.bus.sqlite import SqliteBus
from handlers.platform.store.sqlite import SqliteStore
from tests.platform.chaos.contract import STORED, TOPICS
from tests.platform.chaos.plan import Adapters


def embedded(folder: Path) -> Adapters:
    """Both on SQLite."""
    return Adapters(
        "sqlite",
        lambda: SqliteStore.open(folder / "documents.sqlite3", STORED),
        lambda lease: SqliteBus.open(folder / "events.sqlite3", TOPICS, lease=lease),
    )


ADAPTERS: Final[dict[str, Callable[[Path], Adapters]]] = {"sqlite": embedded}
