"""Jobs under a lease: one process at a time, again and again, and a bad turn ends nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from generated.containers import CONTAINERS
from handlers.platform.jobs import LeasedJob
from handlers.platform.store.port import DocumentStore, StoreUnavailable
from handlers.platform.store.sqlite import SqliteStore
from tests.support.wait import eventually


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[DocumentStore]:
    opened = SqliteStore.open(tmp_path / "documents.sqlite3", CONTAINERS)
    yield opened
    await opened.close()


async def test_one_process_does_it_until_it_stops(store: DocumentStore) -> None:
    done: list[str] = []

    def job(name: str) -> LeasedJob:
        async def work(run: str) -> None:
            assert run.startswith("job-")
            done.append(name)

        return LeasedJob(store, "payments", work, every=60.0)

    first, second = job("first"), job("second")
    assert await first.turn()
    assert not await second.turn()
    assert await first.turn()
    await first.stop()
    assert await second.turn()
    assert done == ["first", "first", "second"]
    await second.stop()


async def test_it_goes_on_after_a_bad_turn(store: DocumentStore) -> None:
    runs: list[str] = []

    async def work(run: str) -> None:
        runs.append(run)
        raise StoreUnavailable("away") if len(runs) == 1 else ValueError("a fault of the code")

    job = LeasedJob(store, "payments", work, every=0.01)
    job.start()
    await eventually(lambda: len(runs) >= 3)
    await job.stop()
    assert len(set(runs)) == len(runs)
