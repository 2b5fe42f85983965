"""A process of its own that relays and consumes until it is killed: `python -m tests.platform.chaos.child <folder>`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from tests.platform.chaos.adapters import embedded
from tests.platform.chaos.plan import Plan
from tests.platform.chaos.world import World


async def main(folder: Path) -> None:
    """Works, without faults but the one that is coming."""
    world = World(embedded(folder), Plan(seed=1))
    world.store.rate = world.bus.rate = 0.0
    await world.start()
    sys.stdout.write("working\n")
    sys.stdout.flush()
    await asyncio.sleep(120)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
