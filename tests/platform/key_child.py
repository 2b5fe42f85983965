"""A process that holds a key until it is killed: `python -m tests.platform.key_child <file> <host> <shift>`.

Nobody on another host can tell when it has ended; its clock is `shift` seconds ahead.
"""

from __future__ import annotations

import asyncio
import socket
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from generated.containers import CONTAINERS
from handlers.platform.background import Background
from handlers.platform.clock import Clock, SystemClock
from handlers.platform.idempotency import Key, KeyedRequests
from handlers.platform.store.port import DocumentStore
from handlers.platform.store.sqlite import SqliteStore

KEY = Key("createOrder", "user-1", "7f9c24e5-3c1f-4a8e-9f43-0f6a2f3f8f11", "digest")
CONTAINER, PARTITION = "orders", "user-1"


@dataclass(slots=True)
class Parts:
    """What a process needs to have requests with a key under way."""

    store: DocumentStore
    clock: Clock
    background: Background


def requests_on(store: DocumentStore, clock: Clock | None = None) -> KeyedRequests:
    """Those of one process."""
    return KeyedRequests(Parts(store, clock or SystemClock(), Background()))


async def main(file: str, host: str, shift: float) -> None:
    """Holds the key, and beats."""
    socket.gethostname = lambda: host
    real = time.time
    time.time = lambda: real() + shift
    requests = requests_on(SqliteStore.open(Path(file), CONTAINERS))
    requests.heartbeat.start()
    await asyncio.sleep(0.1)
    await requests.begin(CONTAINER, PARTITION, key=KEY, status=201)
    sys.stdout.write("holding\n")
    sys.stdout.flush()
    await asyncio.sleep(120)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], float(sys.argv[3])))
