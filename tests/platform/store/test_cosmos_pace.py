"""Slow answers and writes that meet: the stand-in's pace, and what the adapter makes of it."""

from __future__ import annotations

import asyncio
import time

from handlers.platform.store.port import Create, Patch
from infra.local.cosmos.pace import MOST
from tests.platform.store.adapters import CONTAINERS, TestClock, thing
from tests.platform.store.cosmos_adapters import stand_in, store_on


async def test_writes_that_conflict_are_sent_again_and_count_once() -> None:
    server = stand_in(CONTAINERS, TestClock(), partitions=1)
    store = store_on(server, CONTAINERS)
    await store.write("things", Create(thing(n=0)))
    server.pace.latency, server.pace.write = 0.005, 0.002
    writers = 3 * MOST
    started = time.perf_counter()
    await asyncio.gather(
        *(store.write("things", Patch("t1", increments={"n": 1}), partition="ann") for _ in range(writers))
    )
    seconds = time.perf_counter() - started
    found = await store.read("things", "ann", "t1")
    await store.close()
    assert found is not None
    assert found.data["n"] == writers
    assert server.pace.conflicts > 0
    assert seconds > writers * 0.002  # one after the other
