"""A process that relays until it is killed: `python -m tests.platform.relay_child <account> <file> <host>`."""

from __future__ import annotations

import asyncio
import socket
import sys

from handlers.platform.bus.sqlite import SqliteBus
from handlers.platform.dead_letters import DeadLetters
from handlers.platform.relay import Relay
from handlers.platform.store.cosmos import CosmosStore
from handlers.platform.store.cosmos_connection import Account
from infra.local.cosmos.auth import WELL_KNOWN_KEY
from tests.platform.chaos.contract import STORED, TOPICS
from tests.platform.store.cosmos_adapters import DATABASE

LEASE = 2.0


async def main(account: str, log: str, host: str) -> None:
    """Relays from an account to a log, as a process of that host would: nobody can tell when it has ended."""
    socket.gethostname = lambda: host
    store = CosmosStore(Account(account, DATABASE, WELL_KNOWN_KEY), STORED)
    relay = Relay(store, SqliteBus.open(log, TOPICS), DeadLetters(store), lease=LEASE, relist=0.5)
    await relay.start()
    sys.stdout.write("working\n")
    sys.stdout.flush()
    await asyncio.sleep(120)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
