"""Keys that nobody holds any more are free in seconds: the process ended, the store failed at making or releasing."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from generated.containers import CONTAINERS
from handlers.platform import heartbeat
from handlers.platform.errors import Problem
from handlers.platform.heartbeat import Heartbeat, life_of
from handlers.platform.idempotency import KeyedRequests, Once
from handlers.platform.store.cosmos import CosmosStore
from handlers.platform.store.cosmos_retry import Policy
from handlers.platform.store.port import DocumentStore, OutcomeUnknown
from handlers.platform.store.sqlite import SqliteStore
from infra.contract.bundle import ROOT
from infra.local.cosmos.faults import ANY, WRITE, Fault
from infra.local.cosmos.server import Server
from tests.platform.key_child import CONTAINER, KEY, PARTITION, requests_on
from tests.platform.store.adapters import TestClock
from tests.platform.store.cosmos_adapters import stand_in, store_on
from tests.support.wait import eventually

HASTY = Policy(attempt=0.1, seconds=0.3, first_pause=0.001, longest_pause=0.01)


async def begun(requests: KeyedRequests) -> Once:
    """The request under way."""
    return await requests.begin(CONTAINER, PARTITION, key=KEY, status=201)


async def refusal(requests: KeyedRequests) -> str | None:
    """The rule by which the request is refused, None when it may begin."""
    try:
        await begun(requests)
    except Problem as problem:
        return problem.rule
    return None


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    """A store that several processes share."""
    opened = SqliteStore.open(tmp_path / "documents.sqlite3", CONTAINERS)
    yield opened
    await opened.close()


@contextmanager
def holding(file: Path, shift: float = 0) -> Iterator[subprocess.Popen[str]]:
    """A process on another host that has the key's request under way."""
    command = [sys.executable, "-m", "tests.platform.key_child", str(file), "another-host", str(shift)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "holding\n"
            yield process
        finally:
            process.kill()


async def test_another_host_takes_over_soon_after_a_death(store: SqliteStore, tmp_path: Path) -> None:
    own = requests_on(store)
    with holding(tmp_path / "documents.sqlite3") as process:
        assert await refusal(own) == "idempotency_in_progress"
        process.kill()
        process.wait()

        async def taken_over() -> bool:
            return await refusal(own) is None

        # 3 s of silence and 1.5 s of watching; the rest is for a busy machine. Without beats it would take 90 s.
        await eventually(taken_over, seconds=10)


@pytest.mark.parametrize("shift", [-60, 60])
async def test_clocks_that_differ_end_nobody(store: SqliteStore, tmp_path: Path, shift: float) -> None:
    with holding(tmp_path / "documents.sqlite3", shift) as process:
        assert await refusal(requests_on(store)) == "idempotency_in_progress"
        process.kill()
        process.wait()
        assert await refusal(requests_on(store)) is None


async def test_a_process_that_stops_says_so(store: SqliteStore) -> None:
    one, two = Heartbeat(store), Heartbeat(store)
    assert await life_of(store, one.name) == "unknown"
    one.start()

    async def known() -> bool:
        return await life_of(store, one.name) == "alive"

    await eventually(known)
    await one.stop()
    assert await life_of(store, one.name) == "ended"
    await two.stop()  # never begun
    assert await life_of(store, two.name) == "unknown"


async def test_a_key_of_a_living_process_is_never_taken(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeat, "EVERY", 0.01)
    monkeypatch.setattr(heartbeat, "SILENT", 0.0)  # it is watched each time
    monkeypatch.setattr(heartbeat, "WATCH", 0.5)
    one, two = requests_on(store), requests_on(store)
    one.heartbeat.start()
    await asyncio.sleep(0.05)
    once = await begun(one)
    assert await refusal(one) == "idempotency_in_progress"
    assert await refusal(two) == "idempotency_in_progress"
    await once.release()
    assert await refusal(two) is None
    await one.heartbeat.stop()


# --- a store that hiccups -------------------------------------------------------------------------------------------


@pytest.fixture
async def account() -> AsyncIterator[tuple[Server, CosmosStore]]:
    """A stand-in for Cosmos DB, and an impatient store on it."""
    server = stand_in(CONTAINERS, TestClock(), partitions=1)
    opened = store_on(server, CONTAINERS, reading=HASTY, writing=HASTY)
    yield server, opened
    await opened.close()


async def free_for_others(other: DocumentStore) -> None:
    """Returns when another process may begin the request."""

    async def begins() -> bool:
        return await refusal(requests_on(other)) is None

    await eventually(begins)


async def test_what_could_not_be_released_is_free_here_and_soon_elsewhere(account: tuple[Server, CosmosStore]) -> None:
    server, opened = account
    own = requests_on(opened)
    own.heartbeat.start()
    await asyncio.sleep(0.05)
    once = await begun(own)
    server.faults.add(Fault(503, WRITE, times=10_000))
    await once.release()
    server.faults.clear()
    again = await begun(own)  # before the row is removed
    assert await refusal(requests_on(opened)) == "idempotency_in_progress"
    server.faults.add(Fault(503, WRITE, times=10_000))
    await again.release()
    server.faults.clear()
    await free_for_others(opened)
    await own.heartbeat.stop()


async def test_a_key_whose_making_is_in_doubt_is_free_again(account: tuple[Server, CosmosStore]) -> None:
    server, opened = account
    own = requests_on(opened)
    own.heartbeat.start()
    await asyncio.sleep(0.05)
    server.faults.add(Fault("lost_after", ANY, times=10_000))
    with pytest.raises(OutcomeUnknown):
        await begun(own)
    server.faults.clear()
    await free_for_others(opened)
    await own.heartbeat.stop()
