"""The broker: listens, keeps the hubs, and breaks things when told to."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping
from typing import Final

from infra.local.eventhubs.connection import Connection
from infra.local.eventhubs.faults import Faults
from infra.local.eventhubs.hubs import Hub, hub

KEY: Final = "SAS_KEY_VALUE"  # of Microsoft's emulator; published, protects nothing
POLICY: Final = "RootManageSharedAccessKey"


class Broker:
    """A namespace in memory. `key` None: tokens are not looked at; `bearers`: take Entra ID tokens, unread.

    `latency`: seconds until a delivery is acknowledged. `sends`: deliveries stored so far. `connected`: connections
    accepted so far. `refusals`: of links, their reasons.
    """

    def __init__(self, hubs: Iterable[Hub], *, key: str | None = KEY, bearers: bool = True) -> None:
        self.hubs = {found.name.lower(): found for found in hubs}
        self.key = key
        self.bearers = bearers
        self.faults = Faults()
        self.latency = 0.0
        self.sends = 0
        self.connected = 0
        self.refusals: list[str] = []
        self.port = 0
        self._server: asyncio.Server | None = None
        self._connections: set[Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    @classmethod
    def of(cls, topics: Mapping[str, int], groups: Collection[str] | None = None) -> Broker:
        """With hubs of so many partitions, each with these groups."""
        return cls([hub(name, partitions, groups) for name, partitions in topics.items()])

    @property
    def connection_string(self) -> str:
        """For clients, as with Microsoft's emulator: plain TCP."""
        return self.connection_string_with(self.key or KEY)

    def connection_string_with(self, key: str) -> str:
        """With another key."""
        return (
            f"Endpoint=sb://127.0.0.1:{self.port};SharedAccessKeyName={POLICY};SharedAccessKey={key};"
            "UseDevelopmentEmulator=true;"
        )

    async def start(self, port: int = 0) -> None:
        """Listens on loopback. `port` 0: any free one."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", port or self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Ends all connections and listens no more. The hubs stay as they are."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self.disconnect()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def restart(self) -> None:
        """Stops and starts, at the same address; what was stored is still there."""
        await self.stop()
        await self.start()

    # --- faults -----------------------------------------------------------------------------------------------------

    def disconnect(self) -> None:
        """Breaks every connection."""
        for connection in [*self._connections]:
            connection.cut()

    def steal(self, hub_name: str, group: str, partition: int) -> int:
        """Ends the links of a group's readers, as a stronger one's arrival would. How many there were."""
        found = self.hubs[hub_name.lower()].partitions[partition]
        readers = [*found.readers.get(group.lower(), [])]
        for reader in readers:
            found.leave(group.lower(), reader)
            reader.refuse("amqp:link:stolen", "a receiver with a higher epoch was created")
        return len(readers)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = Connection(self, reader, writer)
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - streams run this in a task of its own
        self.connected += 1
        self._connections.add(connection)
        self._tasks.add(task)
        try:
            await connection.run()
        finally:
            self._connections.discard(connection)
            self._tasks.discard(task)
