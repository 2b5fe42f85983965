"""Jobs under a lease: one process at a time, again and again, and a bad turn ends nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from generated.containers import CONTAINERS
from handlers.platform.jobs import LeasedJob
from handlers.platform.leases import Lease, LeaseLost
from handlers.platform.store.port import Delete, DocumentStore, Replace, StoreUnavailable
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


async def test_a_long_turn_keeps_its_lease(store: DocumentStore) -> None:
    """Five times as long as the lease: nobody else begins meanwhile."""
    going, over = asyncio.Event(), asyncio.Event()

    async def work(_: str) -> None:
        going.set()
        await over.wait()

    first, second = (LeasedJob(store, "payments", work, every=0.1) for _ in range(2))
    turn = asyncio.create_task(first.turn())
    await going.wait()
    for _ in range(15):
        await asyncio.sleep(0.1)
        assert not await second.turn()
    over.set()
    assert await turn
    await first.stop()


async def test_work_whose_lease_is_lost_is_ended(store: DocumentStore) -> None:
    lease, ended = Lease(store, "jobs", "payments", seconds=0.15), asyncio.Event()
    assert await lease.acquire()

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()

    doing = asyncio.create_task(lease.during(work()))
    await asyncio.sleep(0.02)
    await store.write("leases", Delete("payments"), partition="jobs")
    with pytest.raises(LeaseLost):
        await doing
    assert ended.is_set()


async def test_what_the_work_raises_comes_through(store: DocumentStore) -> None:
    lease = Lease(store, "jobs", "payments")
    assert await lease.acquire()

    async def work() -> None:
        raise ValueError("a fault of the code")

    with pytest.raises(ValueError, match="a fault"):
        await lease.during(work())


async def test_a_write_of_our_own_whose_answer_was_lost_drops_no_note(store: DocumentStore) -> None:
    lease = Lease(store, "jobs", "payments")
    assert await lease.acquire()
    for write, kept in ((lease.keep({"at": 1}), {"at": 1}), (lease.release(), {"at": 1})):
        found = await store.read("leases", "jobs", "payments")
        assert found is not None
        await store.write("leases", Replace(found.data, if_match=found.etag))  # the etag that the lease knows is old
        await write
        after = await store.read("leases", "jobs", "payments")
        assert after is not None
        assert after.data["note"] == kept
        owner = after.data["owner"]
    assert owner == ""
