"""The adapters under the conformance suite. Another one is one more line in `ADAPTERS`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from generated.containers import Container, Index, Key
from handlers.platform.clock import Clock
from handlers.platform.store.port import DocumentStore, Json
from handlers.platform.store.sqlite import SqliteStore
from tests.platform.store.cosmos_adapters import cosmos_adapters

Opener = Callable[[Path, Mapping[str, Container], Clock], DocumentStore]


def _sqlite(folder: Path, containers: Mapping[str, Container], clock: Clock) -> DocumentStore:
    return SqliteStore.open(folder / "documents.sqlite3", containers, clock=clock, busy_timeout=10)


ADAPTERS: Final[dict[str, Opener]] = {"sqlite": _sqlite, **cosmos_adapters()}

THINGS: Final = Container(
    name="things",
    partition_key=("owner",),
    filters=("a", "price.amount", "world"),
    indexes=(
        Index((Key("n"),)),
        Index((Key("s"),)),
        Index((Key("n"), Key("s"))),
        Index((Key("n"), Key("s", True))),
        Index((Key("owner"), Key("s", True), Key("n", True))),
        Index((Key("created_at"),), kind="outbox"),
    ),
    ttl=-1,
    kinds={"outbox": 604800, "hold": None},
    cross_partition=frozenset({"everything"}),
)
UNIQUE: Final = Container(name="unique", partition_key=("owner",), unique_keys=(("sku",), ("x", "y")), ttl=-1)
MONTHS: Final = Container(
    name="months",
    partition_key=("entity", "month"),
    indexes=(Index((Key("at", True),)),),
    ttl=3600,
    cross_partition=frozenset({"everything"}),
)
PLAIN: Final = Container(name="plain", partition_key=("owner",))

NESTED: Final = Container(name="nested", partition_key=("who.owner",))

CONTAINERS: Final = {container.name: container for container in (THINGS, UNIQUE, MONTHS, PLAIN, NESTED)}


class TestClock:
    """Stands still until a test moves it."""

    __test__ = False

    def __init__(self) -> None:
        self.moment = datetime(2026, 1, 25, 10, 45, tzinfo=UTC)

    def now(self) -> datetime:
        """The moment the test is at."""
        return self.moment

    def advance(self, seconds: float) -> None:
        """Moves on."""
        self.moment += timedelta(seconds=seconds)


def thing(id: str = "t1", owner: str = "ann", **fields: object) -> Json:
    """A document of the container `things`."""
    return {"id": id, "owner": owner, **fields}
