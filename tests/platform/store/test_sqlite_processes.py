"""The embedded store between processes: they write one file together, and a killed one leaves nothing by halves."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from handlers.platform.store.port import Query
from handlers.platform.store.sqlite import SqliteStore
from tests.platform.store.adapters import CONTAINERS

ROOT = Path(__file__).resolve().parents[3]


@contextmanager
def child(task: str, folder: Path, name: str) -> Iterator[subprocess.Popen[str]]:
    """A writing process, gone at the end of the block."""
    command = [sys.executable, "-m", "tests.platform.store.child", task, str(folder), name]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            yield process
        finally:
            process.kill()


def lines(process: subprocess.Popen[str]) -> Iterator[str]:
    """What the process says, line by line."""
    assert process.stdout is not None
    return (line.rstrip("\n") for line in process.stdout)


async def test_two_processes_lose_nothing(tmp_path: Path) -> None:
    with child("count", tmp_path, "one") as one, child("count", tmp_path, "two") as two:
        assert one.wait(60) == two.wait(60) == 0
    store = SqliteStore.open(tmp_path / "documents.sqlite3", CONTAINERS)
    counter = await store.read("things", "shared", "counter")
    assert counter is not None
    assert counter.data["n"] == 2 * 8 * 25
    assert await store.count(Query("things", "one")) == await store.count(Query("things", "two")) == 8 * 25
    await store.close()


async def test_a_process_sees_at_once_what_another_has_written(tmp_path: Path) -> None:
    store = SqliteStore.open(tmp_path / "documents.sqlite3", CONTAINERS)
    with child("pairs", tmp_path, "x") as process:
        said = lines(process)
        assert next(said) == "open"
        for _ in range(100):
            assert await store.read("things", next(said), "order") is not None
    await store.close()


@pytest.mark.parametrize("acknowledged", [1, 150, 700])
async def test_a_killed_process_keeps_its_word_and_leaves_no_halves(tmp_path: Path, acknowledged: int) -> None:
    with child("pairs", tmp_path, "x") as process:
        said = lines(process)
        assert next(said) == "open"
        owners = [next(said) for _ in range(acknowledged)]
        process.send_signal(signal.SIGKILL)
        # A line that was cut off by the end is no promise.
        rest = [line for line in said if line.count("-") == 2]
        owners += rest[:-1]
    store = SqliteStore.open(tmp_path / "documents.sqlite3", CONTAINERS)
    for owner in owners:
        assert await store.read("things", owner, "order") is not None, owner
        assert await store.read("things", owner, "event") is not None, owner
    orders = await store.query(Query("things", purpose="everything", limit=10_000))
    events = await store.query(Query("things", purpose="everything", limit=10_000, kind="outbox"))
    assert {row.data["owner"] for row in orders.items} == {row.data["owner"] for row in events.items}
    await store.ping()
    await store.close()
