"""What is told of a dependency: up, down, and that one which throttles answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from handlers.platform import dependencies as module
from handlers.platform.bus.port import BusUnavailable
from handlers.platform.cache import CacheUnavailable
from handlers.platform.dependencies import Dependencies, ask
from handlers.platform.store.cosmos import CosmosStore
from handlers.platform.store.port import StoreThrottled, StoreUnavailable
from handlers.platform.telemetry import Telemetry
from infra.local.cosmos.faults import READ, Fault
from infra.local.cosmos.server import Server
from tests.platform.store.adapters import CONTAINERS, TestClock
from tests.platform.store.cosmos_adapters import stand_in, store_on
from tests.support.wait import eventually


@pytest.fixture
async def account() -> AsyncIterator[tuple[Server, CosmosStore]]:
    """A stand-in for Cosmos DB, and a store on it with the times of production."""
    server = stand_in(CONTAINERS, TestClock(), partitions=1)
    store = store_on(server, CONTAINERS)
    yield server, store
    await store.close()


async def test_a_store_that_throttles_is_up(account: tuple[Server, CosmosStore]) -> None:
    server, store = account
    assert (await ask("documents", store.ping)).status == "up"
    server.faults.add(Fault(429, READ, times=10_000))
    with pytest.raises(StoreThrottled):
        await store.ping()
    assert (await ask("documents", store.ping)).status == "up"
    server.faults.clear()
    server.faults.add(Fault(503, READ, times=10_000))
    assert (await ask("documents", store.ping)).status == "down"


@pytest.mark.parametrize("error", [StoreUnavailable("x"), BusUnavailable("x"), CacheUnavailable("x"), TimeoutError()])
async def test_what_does_not_serve_is_down(error: Exception) -> None:
    async def ping() -> None:
        raise error

    assert (await ask("it", ping)).status == "down"


async def test_one_that_hangs_holds_up_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.05)
    monkeypatch.setattr(module, "EVERY", 0.01)
    asked: list[int] = []

    async def quick() -> None:
        asked.append(1)

    async def hang() -> None:
        await asyncio.Event().wait()

    watched = Dependencies(Telemetry())
    watched.watch("hangs", hang)
    watched.watch("quick", quick)
    assert {state.name: state.status for state in watched.states()} == {"hangs": "unknown", "quick": "unknown"}
    watched.start()
    await eventually(lambda: {s.name: s.status for s in watched.states()} == {"hangs": "down", "quick": "up"})
    await eventually(lambda: len(asked) > 3)
    await watched.stop()
    count = len(asked)
    await asyncio.sleep(0.05)
    assert len(asked) == count
