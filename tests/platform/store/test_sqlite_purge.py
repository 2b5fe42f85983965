"""The embedded store forgets what is past its time: quickly, every container in turn, and nobody waits for it long."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

import pytest

from generated.containers import Container
from handlers.platform.store import sqlite_rounds, sqlite_writer
from handlers.platform.store.port import Create
from handlers.platform.store.sqlite import PURGE_STEP, SqliteStore
from handlers.platform.store.sqlite_rounds import BUDGET, Rounds
from tests.platform.store.adapters import THINGS, TestClock, thing

ROWS_OF_AN_ORDER: Final = 21.8  # that end by themselves
ORDERS_A_SECOND: Final = 50
# Seconds of orders; `make flows` takes more.
SECONDS: Final = int(os.environ.get("PURGE_SECONDS", "2"))
OTHERS: Final = {f"others{number}": Container(f"others{number}", ("owner",), ttl=60) for number in range(3)}


@contextmanager
def rows_in(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection to the file, beside the store's."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield connection


def left(connection: sqlite3.Connection, container: str = "things") -> int:
    """Rows of a container that are in the file, visible or not."""
    return int(connection.execute(f"SELECT COUNT(*) FROM c_{container}").fetchone()[0])


async def fill(store: SqliteStore, container: str, count: int) -> None:
    """Writes rows that end after a minute."""
    names = [f"{container}-{number}" for number in range(count)]
    for start in range(0, count, 100):
        await store.batch(container, "ann", [Create(thing(name, ttl=60)) for name in names[start : start + 100]])


async def test_housekeeping_comes_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_writer, "_HOUSEKEEPING_INTERVAL", 0.02)
    clock = TestClock()
    store = SqliteStore.open(tmp_path / "store", {"things": THINGS}, clock=clock)
    await store.write("things", Create(thing(ttl=60)))
    clock.advance(60)
    with closing(sqlite3.connect(tmp_path / "store", isolation_level=None)) as connection:
        async with asyncio.timeout(10):
            while connection.execute("SELECT COUNT(*) FROM c_things").fetchone() != (0,):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
    await store.close()


async def test_what_fifty_orders_a_second_leave_goes_as_fast_and_writes_do_not_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_writer, "_HOUSEKEEPING_INTERVAL", 0.2)
    clock = TestClock()
    store = SqliteStore.open(tmp_path / "store", {"things": THINGS}, clock=clock)
    count = int(SECONDS * ORDERS_A_SECOND * ROWS_OF_AN_ORDER)
    await fill(store, "things", count)
    with rows_in(tmp_path / "store") as connection:
        waits: list[float] = []
        clock.advance(60)
        started = time.monotonic()
        while left(connection) > len(waits):
            before = time.monotonic()
            await store.write("things", Create(thing(f"stays-{len(waits)}")))
            waits.append(time.monotonic() - before)
            await asyncio.sleep(0.01)
        took = time.monotonic() - started
    await store.close()
    assert count / took >= ORDERS_A_SECOND * ROWS_OF_AN_ORDER
    assert sorted(waits)[len(waits) // 2] < 5 * BUDGET


async def test_a_container_that_is_full_starves_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_rounds, "BUDGET", 0.0)  # one step a round
    clock = TestClock()
    store = SqliteStore.open(tmp_path / "store", {"things": THINGS, **OTHERS}, clock=clock)
    await fill(store, "things", 20 * PURGE_STEP)
    for name in OTHERS:
        await fill(store, name, 3)
    clock.advance(60)
    with rows_in(tmp_path / "store") as connection:
        for _ in range(1 + len(OTHERS)):
            assert store._purge(connection)
        assert [left(connection, name) for name in OTHERS] == [0, 0, 0]
        assert left(connection) == 19 * PURGE_STEP
    await store.close()


def test_a_round_ends_in_time_and_goes_on_where_it_was() -> None:
    taken: list[str] = []

    def slow(name: str) -> bool:
        taken.append(name)
        time.sleep(BUDGET)
        return True

    rounds = Rounds("abc")
    assert all(rounds.clear(slow) for _ in range(4))
    assert taken == ["a", "b", "c", "a"]
    assert not rounds.clear(lambda _: False)
