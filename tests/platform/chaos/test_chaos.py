"""Each event is applied exactly once and in order, whatever happens; poison is put apart; nothing stays stuck."""

from __future__ import annotations

import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest

from tests.platform.chaos.adapters import ADAPTERS
from tests.platform.chaos.contract import GROUPS
from tests.platform.chaos.plan import Adapters, Plan
from tests.platform.chaos.world import World
from tests.support.wait import eventually

SEEDS: Final = (1, 2, 3, 4, 5)
EMBEDDED_BUS: Final = ("sqlite", "cosmos")  # what the bus has no part in
RUNS: Final = [(name, seed) for name in ADAPTERS for seed in SEEDS]


@pytest.fixture
async def adapters(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Adapters]:
    """The store and the bus under test."""
    async with ADAPTERS[request.param](tmp_path) as found:
        yield found


@pytest.mark.parametrize(("adapters", "seed"), RUNS, indirect=["adapters"])
async def test_each_event_is_applied_once_and_in_order(
    adapters: Adapters, seed: int, capsys: pytest.CaptureFixture[str]
) -> None:
    world = World(adapters, Plan(seed, kills=adapters.kills))
    started = time.perf_counter()
    try:
        outcome = await world.go()
        assert outcome.faults() == []
        assert world.produced >= world.plan.events
        assert outcome.poison
        assert world.seen["relay kills"] == world.seen["consumer kills"] == world.plan.kills
        assert world.killed_at == {1, 2, 3, 4}
        assert await world.free_again()
    finally:
        await world.close()
        with capsys.disabled():
            sys.stdout.write(_summary(adapters, world, time.perf_counter() - started))


@pytest.mark.parametrize("adapters", EMBEDDED_BUS, indirect=True)
async def test_dead_letters_are_applied_when_they_are_replayed(adapters: Adapters) -> None:
    world = World(adapters, Plan(seed=6, events=200, poison=0.1, kills=1))
    try:
        assert (await world.go()).faults() == []
        await world.cure()
        await world.until(lambda: world.applied("counters") == world.applied("mirrors") == world.produced, 20)
        await eventually(world.replayed)
        for group in GROUPS:
            assert all(
                sorted(numbers) == [*range(1, len(numbers) + 1)] for numbers in world.outcome.applied[group].values()
            )
    finally:
        await world.close()


@pytest.mark.parametrize("adapters", EMBEDDED_BUS, indirect=True)
async def test_the_control_without_an_inbox_fails(adapters: Adapters) -> None:
    world = World(adapters, Plan(seed=1, inbox=False))
    try:
        outcome = await world.go(patience=3)
        assert any(len(numbers) > len(set(numbers)) for numbers in outcome.applied["counters"].values())
        assert outcome.faults()
    finally:
        await world.close()


@pytest.mark.parametrize("adapters", EMBEDDED_BUS, indirect=True)
async def test_the_control_with_the_outbox_row_outside_the_batch_fails(adapters: Adapters) -> None:
    world = World(adapters, Plan(seed=1, outbox_in_batch=False))
    try:
        outcome = await world.go(patience=3)
        lost = {thing for thing, wanted in outcome.promised.items() if outcome.applied["counters"][thing] != wanted}
        assert lost
    finally:
        await world.close()


def _summary(adapters: Adapters, world: World, seconds: float) -> str:
    seen = ", ".join(f"{count} {what}" for what, count in sorted(world.seen.items()))
    poison = len(world.outcome.poison)
    awaits = ",".join(map(str, sorted(world.killed_at)))
    return (
        f"\nchaos {adapters.name} seed {world.plan.seed}: {world.produced} events, {poison} poison, "
        f"{len(world.outcome.faults())} faults; {seen}; killed at awaits {awaits}; {seconds:.1f} s\n"
    )
