"""The same promise with real processes and SIGKILL, two of them at a time on one folder."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path
from random import Random

from tests.platform.chaos.adapters import embedded
from tests.platform.chaos.plan import Plan
from tests.platform.chaos.world import World

KILLS = 5


async def started(folder: Path) -> Process:
    """A worker that has begun."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.platform.chaos.child", str(folder), stdout=PIPE
    )
    assert child.stdout is not None
    assert await child.stdout.readline() == b"working\n"
    return child


async def test_killed_processes_lose_and_repeat_nothing(tmp_path: Path) -> None:
    world = World(embedded(tmp_path), Plan(seed=7, things=10, events=300))
    world.store.rate = world.bus.rate = 0.0
    chance = Random(7)
    workers = [await started(tmp_path) for _ in range(2)]

    async def kill() -> None:
        for _ in range(KILLS):
            await asyncio.sleep(0.2 + chance.random() * 0.3)
            victim = workers.pop(chance.randrange(2))
            victim.kill()
            await victim.wait()
            workers.append(await started(tmp_path))
        world.killed_all = True

    try:
        await asyncio.gather(kill(), world.produce_all())
        await world.until(lambda: not world.outcome.faults(), 30)
        assert world.outcome.faults() == []
        assert world.produced >= 300
    finally:
        for worker in workers:
            worker.kill()
            await worker.wait()
        await world.close()
