"""`python -m infra.local.eventhubs [port]`: serves the hubs of the contract on loopback, and says how to connect."""

from __future__ import annotations

import asyncio
import sys

from generated.events import GROUPS, TOPICS
from infra.local.eventhubs.broker import Broker

PORT = 5672  # where Microsoft's emulator listens


async def main(port: int) -> None:
    """Serves until it is ended."""
    broker = Broker.of({name: spec.partitions for name, spec in TOPICS.items()}, [*GROUPS])
    await broker.start(port)
    print(f"EVENT_HUB_CONNECTION_STRING={broker.connection_string}", flush=True)
    await asyncio.Event().wait()


asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else PORT))
